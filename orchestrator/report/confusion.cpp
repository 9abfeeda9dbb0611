#include "kernmill/report/confusion.hpp"

#include <algorithm>

#include "kernmill/report/quantity.hpp"
#include "kernmill/report/table.hpp"

namespace kernmill {
namespace {

/// A line a class: how well it was predicted.
std::string per_class_text(const Json& evaluation) {
  const Json per_class = evaluation.value("per_class", Json::array());
  if (!per_class.is_array() || per_class.empty()) return {};
  TextTable table({}, "  ");
  const std::vector<std::string> names{"class", "rows", "precision", "recall", "f1", "roc_auc", "log_loss"};
  table.row(names);
  for (const Json& one : per_class) {
    if (!one.is_object()) return {};
    std::vector<std::string> cells;
    cells.reserve(names.size());
    for (const std::string& name : names) cells.push_back(one.contains(name) ? number_text(one[name]) : "-");
    table.row(cells);
  }
  return "\n" + table.text();
}

}  // namespace

std::string confusion_text(const Json& evaluation) {
  constexpr std::size_t most_classes = 12;
  if (!evaluation.is_object()) return {};
  const Json classes = evaluation.value("classes", Json::array());
  const Json counts = evaluation.value("confusion", Json::array());
  const bool is_table = classes.is_array() && counts.is_array() &&
                        std::all_of(counts.begin(), counts.end(), [&](const Json& row) {
                          return row.is_array() && row.size() == classes.size();
                        });
  if (!is_table || classes.empty() || classes.size() > most_classes || counts.size() != classes.size())
    return {};
  std::vector<TextTable::Align> align(classes.size() + 1, TextTable::Align::right);
  align.front() = TextTable::Align::left;
  TextTable table(align, "  ");
  std::vector<std::string> head{"true \\ predicted"};
  for (const Json& name : classes) head.push_back(number_text(name));
  table.row(head);
  for (std::size_t row = 0; row < classes.size(); ++row) {
    std::vector<std::string> cells{number_text(classes[row])};
    for (const Json& count : counts[row]) cells.push_back(number_text(count));
    table.row(cells);
  }
  return table.text() + per_class_text(evaluation);
}

}  // namespace kernmill
