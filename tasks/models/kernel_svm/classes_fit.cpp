#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "kernmill/tasks/learn/rows/class_counts.hpp"
#include "kernmill/tasks/models/kernel_svm/classes.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

/// C of each class; balanced, the rows of each class count alike together, whatever weights of their own they
/// have.
std::vector<double> limits_of(double C, const std::vector<std::uint64_t>& counts, bool balanced) {
  std::vector<double> limits(counts.size(), C);
  if (!balanced) return limits;
  const auto there = static_cast<double>(classes_there(counts).size());
  const auto rows = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  for (std::size_t c = 0; c < counts.size(); ++c)
    if (counts[c] > 0) limits[c] *= rows / (there * static_cast<double>(counts[c]));
  return limits;
}

}  // namespace

std::vector<std::size_t> classes_there(const std::vector<std::uint64_t>& counts) {
  std::vector<std::size_t> classes;
  for (std::size_t c = 0; c < counts.size(); ++c)
    if (counts[c] > 0) classes.push_back(c);
  return classes;
}

SvmClasses look_at_classes(const Communicator& comm, const FitData& data, const KernelSvmSettings& settings,
                           const Json& config) {
  const storage::Schema& schema = data.rows.schema();
  if (data.start != nullptr)
    throw TaskError("a kernel_svm does not start from another model", {}, "leave 'start_from' out");
  if (schema.target_kind != storage::TargetKind::classes)
    throw TaskError("kernel_svm predicts classes, and the target is none", {},
                    "use linear_regression or mlp, or `target: {type: class}` in the preprocess stage");
  SvmClasses classes;
  classes.counts = class_counts(comm, data.rows);
  const std::vector<std::size_t> there = classes_there(classes.counts);
  if (there.size() < 2)
    throw TaskError(fmt::format("all training rows have the class '{}': there is nothing to tell apart",
                                schema.classes.at(there.at(0))),
                    {}, "look at the target, and stratify the split of the preprocess stage");
  classes.missing = warn_of_missing_classes(comm, schema, classes.counts);
  const bool balanced = config.value("class_weight", "none") == "balanced";
  const bool counts_all = balanced && data.rows.is_weighted();
  classes.C = limits_of(
      settings.C, counts_all ? class_counts(comm, data.rows.without_weights()) : classes.counts, balanced);
  return classes;
}

}  // namespace kernmill::tasks
