#include "kernmill/tasks/kinds/prediction_lines.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "kernmill/base/table/csv.hpp"

namespace kernmill::tasks {

using storage::TargetKind;

PredictionLines::PredictionLines(const storage::Schema& schema, bool probabilities,
                                 std::vector<std::string> columns)
    : schema_(&schema), probabilities_(probabilities), columns_(std::move(columns)) {
  for (const auto& name : schema.classes) classes_.push_back("," + csv_field(name));
}

std::string PredictionLines::header() const {
  std::string line = "row";
  if (!columns_.empty())
    for (const auto& name : columns_) line += "," + csv_field(name);
  else if (schema_->target_kind == TargetKind::classes || schema_->target_names.size() == 1)
    line += ",prediction";
  else
    for (const auto& name : schema_->target_names) line += "," + csv_field("prediction_" + name);
  if (probabilities_)
    for (const auto& name : schema_->classes) line += "," + csv_field("p_" + name);
  return line + "\n";
}

void PredictionLines::append(std::string& text, std::uint64_t row, std::span<const double> scores) const {
  fmt::format_to(std::back_inserter(text), "{}", row);
  if (columns_.empty() && schema_->target_kind == TargetKind::classes)
    text +=
        classes_[static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin())];
  if (!columns_.empty() || schema_->target_kind == TargetKind::numbers || probabilities_)
    for (const double score : scores) fmt::format_to(std::back_inserter(text), ",{}", score);
  text += '\n';
}

}  // namespace kernmill::tasks
