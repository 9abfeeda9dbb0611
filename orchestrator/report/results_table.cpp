#include "kernmill/report/results_table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "kernmill/base/table/csv.hpp"
#include "kernmill/report/quantity.hpp"
#include "kernmill/report/table.hpp"
#include "kernmill/workflow/text/unicode.hpp"

namespace kernmill {
namespace {

constexpr std::array<std::string_view, 6> own_names{"instance", "state",       "attempts",
                                                    "seconds",  "peak_memory", "node"};

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void add_names(std::vector<std::string>& names, const Json& map) {
  // Those of all rows are alike, as a rule.
  std::size_t place = 0;
  for (const auto& [name, value] : map.items()) {
    const bool is_next = place < names.size() && names[place] == name;
    ++place;
    if (!is_next && !contains(names, name)) names.push_back(name);
  }
}

bool is_own(const std::string& name) {
  return std::find(own_names.begin(), own_names.end(), name) != own_names.end();
}

/// JSON has no such numbers: the journal holds them as texts.
bool is_infinite(const Json& cell) {
  return cell == "inf" || cell == "-inf";
}

/// Numbers, then texts, then what has no value.
int rank_of(const Json& cell) {
  const bool is_nan = cell == "nan" || (cell.is_number_float() && std::isnan(cell.get<double>()));
  if (cell.is_null() || is_nan) return 2;
  return cell.is_number() || cell.is_boolean() || is_infinite(cell) ? 0 : 1;
}

double number_of(const Json& cell) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (is_infinite(cell)) return cell == "inf" ? infinity : -infinity;
  return cell.is_boolean() ? static_cast<double>(cell.get<bool>()) : cell.get<double>();
}

std::string word_of(const Json& cell) {
  return cell.is_string() ? cell.get<std::string>() : cell.dump();
}

bool comes_before(const Json& one, const Json& other, ResultsTable::Order order) {
  const int rank = rank_of(one), other_rank = rank_of(other);
  if (rank != other_rank || rank == 2) return rank < other_rank;
  const bool largest_first = order == ResultsTable::Order::largest_first;
  const Json &first = largest_first ? other : one, &second = largest_first ? one : other;
  return rank == 0 ? number_of(first) < number_of(second) : word_of(first) < word_of(second);
}

std::string csv_text(const Json& cell) {
  return cell.is_null() ? "" : csv_field(word_of(cell));
}

std::string shown(const Json& cell) {
  return cell.is_null() ? "-" : number_text(cell);
}

}  // namespace

void ResultsTable::add(const InstanceStatus& instance) {
  Row& row = rows_.emplace_back();
  row.instance = instance.label;
  row.values = instance.written;
  row.metrics = instance.metrics;
  row.state = instance.cached ? "cached" : to_string(instance.state);
  row.attempts = instance.attempts;
  row.seconds = std::round(instance.took.count() * 1e3) / 1e3;  // as exact as the journal's times
  row.peak_memory = instance.peak_memory;
  row.warning = instance.warning;
  row.node = instance.node;
  add_names(values_, row.values);
  add_names(metrics_, row.metrics);
  has_memory_ = has_memory_ || row.peak_memory > 0;
  has_nodes_ = has_nodes_ || !row.node.empty();
}

std::vector<ResultsTable::Column> ResultsTable::all_columns() const {
  std::vector<Column> columns{{"instance", Source::instance}};
  for (const std::string& name : values_) {
    const bool is_taken = is_own(name) || contains(metrics_, name);
    columns.push_back({is_taken ? "matrix." + name : name, Source::values, name});
  }
  for (const std::string& name : metrics_) {
    const bool is_taken = is_own(name) || contains(values_, name);
    columns.push_back({is_taken ? "metrics." + name : name, Source::metrics, name});
  }
  columns.push_back({"state", Source::state});
  columns.push_back({"attempts", Source::attempts});
  columns.push_back({"seconds", Source::seconds});
  if (has_memory_) columns.push_back({"peak_memory", Source::peak_memory});
  if (has_nodes_) columns.push_back({"node", Source::node});
  return columns;
}

Json ResultsTable::cell(const Row& row, const Column& column) {
  const auto of = [&](const Json& map) { return map.value(column.key, Json()); };
  switch (column.source) {
    case Source::instance:
      return row.instance;
    case Source::values:
      return of(row.values);
    case Source::metrics:
      return of(row.metrics);
    case Source::state:
      return row.state;
    case Source::attempts:
      return row.attempts;
    case Source::seconds:
      return row.attempts == 0 ? Json() : Json(row.seconds);
    case Source::peak_memory:
      return row.peak_memory == 0 ? Json() : Json(row.peak_memory);
    case Source::node:
      return row.node.empty() ? Json() : Json(row.node);
  }
  return {};
}

std::vector<std::string> ResultsTable::columns() const {
  std::vector<std::string> names;
  for (const Column& column : all_columns()) names.push_back(column.name);
  return names;
}

bool ResultsTable::sort(const std::string& name, Order order) {
  const std::vector<Column> columns = all_columns();
  const auto column = std::find_if(columns.begin(), columns.end(),
                                   [&](const Column& candidate) { return candidate.name == name; });
  if (column == columns.end()) return false;
  std::stable_sort(rows_.begin(), rows_.end(), [&](const Row& one, const Row& other) {
    return comes_before(cell(one, *column), cell(other, *column), order);
  });
  return true;
}

void ResultsTable::keep_first(std::size_t rows) {
  if (rows < rows_.size()) rows_.resize(rows);
}

std::string ResultsTable::text() const {
  std::vector<Column> columns = all_columns();
  std::erase_if(columns, [&](const Column& column) {
    return std::any_of(rows_.begin(), rows_.end(),
                       [&](const Row& row) { return cell(row, column).is_structured(); });
  });
  TextTable table({}, "");
  std::vector<std::string> head;
  head.reserve(columns.size());
  for (const Column& column : columns) head.push_back(printable(column.name));
  table.row(head);
  for (const Row& row : rows_) {
    std::vector<std::string> cells;
    cells.reserve(columns.size());
    for (const Column& column : columns)
      cells.push_back(column.source == Source::peak_memory && row.peak_memory > 0
                          ? bytes_text(row.peak_memory)
                          : shown(cell(row, column)));
    table.row(cells);
  }
  return table.text();
}

std::string ResultsTable::csv() const {
  const std::vector<Column> columns = all_columns();
  std::string text;
  for (const Column& column : columns) text += (text.empty() ? "" : ",") + csv_field(column.name);
  text += "\n";
  for (const Row& row : rows_) {
    for (std::size_t i = 0; i < columns.size(); ++i)
      text += (i == 0 ? "" : ",") + csv_text(cell(row, columns[i]));
    text += "\n";
  }
  return text;
}

Json ResultsTable::json() const {
  Json list = Json::array();
  for (const Row& row : rows_) {
    Json& json =
        list.emplace_back(Json{{"instance", row.instance}, {"state", row.state}, {"attempts", row.attempts}});
    if (row.attempts > 0) json["seconds"] = row.seconds;
    if (!row.values.empty()) json["matrix"] = row.values;
    if (!row.metrics.empty()) json["metrics"] = row.metrics;
    if (row.peak_memory > 0) json["peak_memory"] = row.peak_memory;
    if (!row.node.empty()) json["node"] = row.node;
    if (!row.warning.empty()) json["warning"] = row.warning;
  }
  return list;
}

}  // namespace kernmill
