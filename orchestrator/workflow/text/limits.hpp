#pragma once
#include <cstddef>
#include <cstdint>

/// How much a workflow, a profile or a site file may ask of the login node that reads it. Each is far beyond
/// what people write; workflows/README.md has them, too.
namespace kernmill::limits {

constexpr std::size_t file_bytes = std::size_t{32} << 20;  ///< of a file, long lists included
constexpr std::size_t text_bytes = std::size_t{4} << 20;   ///< of a file, less its long lists of plain values
constexpr std::size_t value_bytes = std::size_t{1} << 20;  ///< of one text, or of a list or map in brackets
constexpr std::size_t long_list = 1000;                    ///< values that make a list of plain ones long
constexpr std::size_t values = 1'200'000;                  ///< of a file, with what aliases repeat
constexpr std::size_t repeated_bytes = std::size_t{4} << 20;  ///< of text that aliases repeat
constexpr std::size_t keys = 10'000;                          ///< of one map
constexpr std::size_t depth = 100;                            ///< of lists and maps in each other
constexpr std::size_t mistakes = 100;                         ///< that are shown
constexpr std::size_t message_bytes = 4000;                   ///< of a mistake

constexpr std::size_t terms = 1000;               ///< of an expression
constexpr std::size_t expressions_of_text = 256;  ///< `${{ }}` in one text
constexpr std::size_t expressions = 50'000;       ///< of a workflow
constexpr std::size_t template_bytes = std::size_t{128}
                                       << 10;  ///< of a text with expressions: Linux's limit of a word
constexpr std::size_t result_bytes = std::size_t{1} << 20;  ///< of the text that an expression gives
constexpr std::size_t pasted_values = 1'000'000;  ///< that params are replaced by, in a whole workflow
constexpr std::size_t pasted_bytes = std::size_t{16} << 20;  ///< of text, likewise

constexpr std::size_t references = 10'000;    ///< of `inputs`, and of `needs`
constexpr std::size_t axis_checks = 200'000;  ///< values of axes with which settings are tried, in a workflow
constexpr std::uint64_t instances = 16'000'000;   ///< of a workflow
constexpr std::uint64_t exclusions = 50'000'000;  ///< steps to find what the items of `exclude` speak of
constexpr std::uint64_t header_bytes = std::uint64_t{2}
                                       << 20;  ///< of a CSV file's first line that is checked

}  // namespace kernmill::limits
