#pragma once
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

/// What training tells of itself while it runs: a line of JSON now and then, in a file of each attempt, which
/// one program writes and others read meanwhile.
namespace kernmill {

inline constexpr const char* training_lines = "metrics.jsonl";

/// The lines that have ended: a writer that died may have left a part of one.
inline std::vector<std::string_view> whole_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t end = 0; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1))
    lines.push_back(text.substr(0, end));
  return lines;
}

/// What an attempt at a training tells: rows, from the step on that it began at.
template <class Row>
struct AttemptRows {
  std::uint64_t from_step = 0;
  std::vector<Row> rows;
};

/// The rows of a training that went on in several attempts, the oldest first: what an attempt has done again
/// counts in place of what was done before. `step_of(row)` is a number.
template <class Row, class StepOf>
std::vector<Row> rows_of_attempts(std::vector<AttemptRows<Row>> attempts, const StepOf& step_of) {
  std::vector<Row> all;
  for (AttemptRows<Row>& attempt : attempts) {
    while (!all.empty() && step_of(all.back()) > attempt.from_step) all.pop_back();
    for (Row& row : attempt.rows) all.push_back(std::move(row));
  }
  return all;
}

}  // namespace kernmill
