#include "kernmill/tasks/kinds/model_columns.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <unordered_map>

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

/// Where each column of an input stands, however many there are.
class Names {
 public:
  explicit Names(const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < names.size(); ++i) places_.emplace(names[i], i);
  }
  [[nodiscard]] std::size_t index(const Input& input, const std::string& name) const {
    const auto found = places_.find(name);
    return found != places_.end() ? found->second : column_index(input, name, "the model was trained on it");
  }

 private:
  std::unordered_map<std::string_view, std::size_t> places_;
};

}  // namespace

Selection reading_of(const Json& config) {
  Selection selection;
  selection.on_bad_row = on_bad_row_of(setting_as<std::string>(config, "on_bad_row"));
  selection.missing = setting_as<std::vector<std::string>>(config, "missing");
  return selection;
}

std::vector<storage::InputColumn> inputs_of(const storage::Schema& schema) {
  return schema.inputs.empty() ? storage::numbers_named(schema.features) : schema.inputs;
}

Selection match_columns(const Input& input, const storage::Schema& schema, const Json& config) {
  Selection selection = reading_of(config);
  const Names names(input.names());
  const bool has_logarithms =
      !schema.series.transform.empty() && transform_of(schema.series) == SeriesTransform::log_return;
  for (const storage::InputColumn& column : inputs_of(schema)) {
    Wanted wanted{names.index(input, column.name)};
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
  for (const storage::InputColumn& column : inputs_of(schema)) columns.push_back(column.name);
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
