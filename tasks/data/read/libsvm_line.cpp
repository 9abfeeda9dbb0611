#include "kernmill/tasks/data/read/libsvm_line.hpp"

#include <charconv>

#include <fmt/format.h>

#include "kernmill/base/table/numbers.hpp"
#include "kernmill/tasks/data/read/plain_decimal.hpp"

namespace kernmill::tasks {
namespace {

constexpr std::string_view blanks = " \t\r";

/// An entry of plain digits, as most are; returns where it ends, and npos where it is something else.
std::size_t take_plain_entry(std::string_view text, std::size_t at, SvmLine& line) {
  const char* const end = text.data() + text.size();
  const char* const begin = text.data() + at;
  std::uint64_t index = 0;
  double value = 0;
  const char* const colon = take_digits(begin, end, index);
  if (colon == begin || colon - begin > 10 || colon == end || *colon != ':') return std::string_view::npos;
  const char* const behind = plain_decimal(colon + 1, end, '.', value);
  if (behind == nullptr || (behind != end && blanks.find(*behind) == std::string_view::npos))
    return std::string_view::npos;
  const std::uint64_t before = line.entries.empty() ? 0 : line.entries.back().index + 1;
  if (index < before || index > largest_svm_index) return std::string_view::npos;
  line.entries.push_back({index, value, at});
  return static_cast<std::size_t>(behind - text.data());
}

/// `index:value`.
std::string parse_entry(std::string_view word, std::size_t at, SvmLine& line) {
  const auto colon = word.find(':');
  if (colon == std::string_view::npos) return "is no `index:value`";
  std::uint64_t index = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + colon, index);
  if (error != std::errc{} || end != word.data() + colon) return "has no whole number in front of its colon";
  if (index > largest_svm_index) return fmt::format("has an index above {}", largest_svm_index);
  if (!line.entries.empty() && index <= line.entries.back().index) return "has an index that does not rise";
  double value = 0;
  const std::string reason = parse_exact_number(word.substr(colon + 1), value);
  if (!reason.empty()) return "has a value that " + reason;
  line.entries.push_back({index, value, at});
  return "";
}

}  // namespace

SvmMistake parse_svm_line(std::string_view text, SvmLine& line) {
  line.label = {};
  line.entries.clear();
  const std::string_view plain = text.substr(0, text.find('#'));
  for (std::size_t at = 0; (at = plain.find_first_not_of(blanks, at)) != std::string_view::npos;) {
    if (!line.label.empty())
      if (const std::size_t end = take_plain_entry(plain, at, line); end != std::string_view::npos) {
        at = end;
        continue;
      }
    const std::string_view word = plain.substr(at, plain.find_first_of(blanks, at) - at);
    if (line.label.empty()) {
      if (word.find(':') != std::string_view::npos) return {"is no label", at, word.size()};
      line.label = word;
      line.label_at = at;
    } else if (!word.starts_with("qid:")) {
      std::string reason = parse_entry(word, at, line);
      if (!reason.empty()) return {std::move(reason), at, word.size()};
    }
    at += word.size();
  }
  return {};
}

}  // namespace kernmill::tasks
