#include "kernmill/report/metric_history.hpp"

#include <algorithm>

#include "kernmill/base/table/csv.hpp"
#include "kernmill/report/quantity.hpp"
#include "kernmill/report/table.hpp"
#include "kernmill/workflow/text/unicode.hpp"

namespace kernmill {

void MetricHistory::add(const std::string& instance, Json row) {
  for (const auto& [name, value] : row.items())
    if (std::find(names_.begin(), names_.end(), name) == names_.end()) names_.push_back(name);
  has_several_ = has_several_ || (!rows_.empty() && rows_.front().first != instance);
  rows_.emplace_back(instance, std::move(row));
}

std::string MetricHistory::text() const {
  TextTable table({}, "");
  std::vector<std::string> cells;
  const auto add = [&](const std::string& instance, const auto& cell) {
    cells.clear();
    if (has_several_) cells.push_back(instance);
    for (const std::string& name : names_) cells.push_back(cell(name));
    table.row(cells);
  };
  add("instance", [](const std::string& name) { return printable_line(name); });
  for (const auto& [instance, of_instance] : rows_) {
    const auto& row = of_instance;
    add(instance, [&](const std::string& name) { return row.contains(name) ? number_text(row[name]) : "-"; });
  }
  return table.text();
}

std::string MetricHistory::csv() const {
  std::string text = "instance";
  for (const std::string& name : names_) text += ',' + csv_field(name);
  text += '\n';
  for (const auto& [instance, row] : rows_) {
    text += csv_field(instance);
    for (const std::string& name : names_) {
      text += ',';
      if (!row.contains(name)) continue;
      const Json& value = row[name];
      text += csv_field(value.is_string() ? value.get<std::string>() : value.dump());
    }
    text += '\n';
  }
  return text;
}

Json MetricHistory::json() const {
  Json list = Json::array();
  for (const auto& [instance, row] : rows_) {
    if (list.empty() || list.back()["instance"] != instance)
      list.push_back({{"instance", instance}, {"rows", Json::array()}});
    list.back()["rows"].push_back(row);
  }
  return list;
}

}  // namespace kernmill
