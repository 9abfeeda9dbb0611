#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kernmill::tasks {

/// A line of LIBSVM's format: `label index:value index:value ... # comment`, indices rising. A `qid:` is
/// passed over. The views are into the line.
struct SvmLine {
  std::string_view label;
  std::size_t label_at = 0;
  struct Entry {
    std::uint64_t index = 0;
    double value = 0;
    std::size_t at = 0;  ///< where it stands in the line
  };
  std::vector<Entry> entries;
};

/// What is wrong with a line, and where: the character it begins at, counted from 0.
struct SvmMistake {
  std::string reason;  ///< empty: nothing
  std::size_t at = 0, length = 0;
};

/// Of a column; rows of more than so many columns are kept as what is not 0, or not at all.
inline constexpr std::uint64_t largest_svm_index = (std::uint64_t{1} << 31U) - 1;
inline constexpr std::uint64_t most_dense_columns = 1'000'001;
/// Each of them has a name.
inline constexpr std::uint64_t most_sparse_columns = std::uint64_t{1} << 26U;

/// A line without its end. `line.label` is empty when there is nothing on it.
SvmMistake parse_svm_line(std::string_view text, SvmLine& line);

}  // namespace kernmill::tasks
