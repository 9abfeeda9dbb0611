#include "kernmill/tasks/learn/rows/constant_columns.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace kernmill::tasks {

std::vector<std::string> constant_columns(const storage::Schema& schema) {
  std::vector<std::string> constant;
  for (const storage::InputColumn& column : schema.inputs) {
    const bool is_one = column.type == storage::ColumnType::number ? column.lowest == column.highest
                                                                   : column.categories.size() == 1;
    if (is_one && column.missing == 0) constant.push_back(column.name);
  }
  return constant;
}

std::string told_constant(const std::vector<std::string>& columns) {
  constexpr std::size_t shown = 5;
  const auto first = std::span(columns).first(std::min(columns.size(), shown));
  return fmt::format(
      "{} one value in all training rows, and {} nothing to learn from: {}{} (drop, in the preprocess stage, "
      "leaves columns out)",
      columns.size() == 1 ? "a column has" : fmt::format("{} columns have", columns.size()),
      columns.size() == 1 ? "is" : "are", fmt::join(first, ", "), columns.size() > shown ? ", ..." : "");
}

}  // namespace kernmill::tasks
