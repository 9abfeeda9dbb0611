#include "kernmill/tasks/learn/score/class_report.hpp"

#include <array>
#include <cmath>

namespace kernmill::tasks {
namespace {

double ratio(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

/// Of one class; counts are whole numbers.
struct ClassCounts {
  double right = 0, rows = 0, predicted = 0;
  [[nodiscard]] double precision() const { return ratio(right, predicted); }
  [[nodiscard]] double recall() const { return ratio(right, rows); }
  [[nodiscard]] double f1() const { return ratio(2 * right, rows + predicted); }
};

ClassCounts counts_of_class(const ClassScores& scores, std::size_t classes, std::size_t label) {
  ClassCounts counts;
  counts.right = scores.confusion[label * classes + label];
  for (std::size_t k = 0; k < classes; ++k) {
    counts.rows += scores.confusion[label * classes + k];
    counts.predicted += scores.confusion[k * classes + label];
  }
  if (!scores.unknown.empty()) counts.predicted += scores.unknown[label];
  return counts;
}

/// A mean of some values, each of some weight.
class Mean {
 public:
  void add(double value, double weight = 1) {
    sum_ += value * weight;
    weight_ += weight;
  }
  [[nodiscard]] bool empty() const { return weight_ == 0; }
  [[nodiscard]] double value() const { return ratio(sum_, weight_); }

 private:
  double sum_ = 0, weight_ = 0;
};

}  // namespace

ClassReport report_classes(const std::vector<std::string>& classes, const ClassScores& scores,
                           const std::vector<double>& areas) {
  ClassReport report;
  std::array<Mean, 3> macro, weighted;
  Mean area;
  for (std::size_t label = 0; label < classes.size(); ++label) {
    const ClassCounts counts = counts_of_class(scores, classes.size(), label);
    const std::array values{counts.precision(), counts.recall(), counts.f1()};
    Json one = {{"class", classes[label]},
                {"rows", static_cast<std::uint64_t>(counts.rows)},
                {"precision", values[0]},
                {"recall", values[1]},
                {"f1", values[2]}};
    if (!std::isnan(areas[label])) {
      one["roc_auc"] = areas[label];
      area.add(areas[label]);
    }
    if (scores.has_probabilities && counts.rows > 0)
      one["log_loss"] = scores.log_loss_of_class[label] / counts.rows;
    report.per_class.push_back(std::move(one));
    if (counts.rows + counts.predicted == 0) continue;
    for (std::size_t i = 0; i < values.size(); ++i) {
      macro[i].add(values[i]);
      weighted[i].add(values[i], counts.rows);
    }
  }
  constexpr std::array names{"precision", "recall", "f1"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    report.metrics[names[i]] = macro[i].value();
    report.weighted[names[i]] = weighted[i].value();
  }
  if (!area.empty()) report.metrics["roc_auc"] = area.value();
  return report;
}

}  // namespace kernmill::tasks
