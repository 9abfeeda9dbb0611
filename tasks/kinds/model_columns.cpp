#include "kernmill/tasks/kinds/model_columns.hpp"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/tasks/data/prepare/series.hpp"

namespace kernmill::tasks {
namespace {

/// Whether a step of one of these kinds is about the column; its first number, too, where that is asked for.
bool has_step(const storage::Schema& schema, const std::string& column,
              std::initializer_list<std::string_view> kinds, bool first_number = false) {
  return std::any_of(schema.steps.begin(), schema.steps.end(), [&](const storage::Step& step) {
    return std::find(kinds.begin(), kinds.end(), step.kind) != kinds.end() &&
           std::find(step.columns.begin(), step.columns.end(), column) != step.columns.end() &&
           (!first_number || (!step.numbers.empty() && step.numbers[0] != 0));
  });
}

}  // namespace

Selection match_columns(const Input& input, const storage::Schema& schema, const Json& config) {
  Selection selection;
  selection.on_bad_row = on_bad_row_of(setting_as<std::string>(config, "on_bad_row"));
  selection.missing = setting_as<std::vector<std::string>>(config, "missing");
  const bool has_logarithms =
      !schema.series.transform.empty() && transform_of(schema.series) == SeriesTransform::log_return;
  for (const storage::InputColumn& column : schema.inputs) {
    Wanted wanted{column_index(input, column.name, "the model was trained on it")};
    wanted.positive = has_logarithms;
    wanted.may_be_missing = has_step(schema, column.name, {"impute", "impute_category"});
    wanted.text = column.type == storage::ColumnType::category;
    if (!wanted.may_be_missing) wanted.type = input.type(wanted.column);
    wanted.known = column.categories;
    wanted.only_known = wanted.text && !has_step(schema, column.name, {"one_hot", "ordinal"}, true);
    selection.columns.push_back(std::move(wanted));
  }
  return selection;
}

std::vector<std::string> columns_known_to(const storage::Schema& schema) {
  std::vector<std::string> columns = schema.left_out;
  for (const storage::InputColumn& column : schema.inputs) columns.push_back(column.name);
  if (!schema.target.empty()) columns.push_back(schema.target);
  return columns;
}

void note_unused_columns(const Input& input, const Selection& selection) {
  std::vector<std::string> unused = input.names();
  for (const Wanted& wanted : selection.columns) std::erase(unused, input.names()[wanted.column]);
  constexpr std::size_t few = 20;
  if (unused.size() > few) unused = {fmt::format("{} of them", unused.size())};
  if (!unused.empty())
    fmt::print(stderr, "note: columns that the model does not use: {}\n", fmt::join(unused, ", "));
}

}  // namespace kernmill::tasks
