#include <limits>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/tasks/comm/stop.hpp"
#include "kernmill/tasks/kinds/own_files.hpp"
#include "kernmill/tasks/kinds/task.hpp"
#include "kernmill/tasks/learn/score/class_report.hpp"
#include "kernmill/tasks/learn/score/own_scores.hpp"
#include "kernmill/tasks/learn/score/roc_auc.hpp"
#include "kernmill/tasks/learn/score/scores.hpp"
#include "kernmill/tasks/learn/train/fit.hpp"
#include "kernmill/tasks/models/registry.hpp"

namespace kernmill::tasks {
namespace {

/// What to train on, and what to score with.
struct Validation {
  Rows train, held_out;
};

std::vector<Validation> validations(const storage::DatasetReader& reader, const Json& validation) {
  const Rows all(reader, storage::Part::train);
  if (validation.contains("split") && !validation.at("split").is_null()) {
    return {{all, Rows(reader, storage::Part::validation)}};
  }
  const auto folds = setting_as<std::uint64_t>(validation, "folds");
  if (folds < 2 || folds > all.count()) {
    throw TaskError(fmt::format("{} folds of {} training rows cannot be made", folds, all.count()), {},
                    "choose objective.validation.folds between 2 and the number of training rows");
  }
  std::vector<Validation> parts;
  for (std::uint64_t k = 0; k < folds; ++k) {
    parts.push_back({Rows(reader, storage::Part::train, {folds, k, false}),
                     Rows(reader, storage::Part::train, {folds, k, true})});
  }
  return parts;
}

/// The scores of all folds, pooled.
class Pool {
 public:
  explicit Pool(Buffer buffer) : buffer_(std::move(buffer)) {}

  void add(const Communicator& comm, const Rows& rows, const storage::Model& model) {
    const ModelKind& kind = model_kind(model.type);
    if (kind.own_scores != nullptr) {
      if (!own_) own_ = kind.own_scores();
      own_->take(model);
      own_->add(comm, rows);
      return;
    }
    const auto opened = open_model(model);
    const Predictor& predictor = *opened;
    if (model.schema.target_kind == storage::TargetKind::classes) {
      classes_known_ = model.schema.classes;
      if (!judged_) judged_.emplace(classes_known_.size() + 1, buffer_);
      const ClassScores scores = score_classes(comm, rows, predictor, &*judged_);
      classes_ ? classes_->add(scores) : void(classes_ = scores);
    } else {
      const NumberScores scores = score_numbers(comm, rows, predictor);
      numbers_ ? numbers_->add(scores) : void(numbers_ = scores);
    }
  }
  [[nodiscard]] bool judges_classes() const { return classes_.has_value(); }
  /// Collective. The usual ones, and `wanted` where it is one of them.
  [[nodiscard]] Json metrics(const Communicator& comm, const std::string& wanted) const {
    if (own_) return own_->metrics(comm, nullptr);
    if (!classes_) return numbers_->metrics();
    Json metrics = classes_->metrics();
    if (metrics.contains(wanted)) return metrics;
    std::vector<double> areas(classes_known_.size(), std::numeric_limits<double>::quiet_NaN());
    if (wanted == "roc_auc") areas = roc_auc(comm, *judged_, classes_->has_probabilities);
    const Json by_class = report_classes(classes_known_, *classes_, areas).metrics;
    if (by_class.contains(wanted)) metrics[wanted] = by_class.at(wanted);
    return metrics;
  }

 private:
  Buffer buffer_;
  std::vector<std::string> classes_known_;
  std::optional<RowStore> judged_;
  std::optional<ClassScores> classes_;
  std::optional<NumberScores> numbers_;
  std::unique_ptr<OwnScores> own_;  ///< of a model without a target
};

/// A trial without a value: the search judges the others.
Result diverged(const Communicator& comm, const Diverged& error) {
  if (comm.is_root())
    fmt::print(stderr,
               "warning: {}: this trial has no value, and the search goes on without it\n  help: {}\n",
               error.what(), error.help);
  return {{{"diverged", true}}, Json::object()};
}

Json judge(const Spec& spec, const Communicator& comm) {
  const storage::DatasetReader reader = open_dataset(comm, spec, "data");
  const Json& train = setting(spec.config, "train");
  const auto wanted = setting_as<std::string>(spec.config, "objective.metric");
  Session session(comm, {}, false);  // a trial starts anew: it is short, and there are others
  Pool pool({Buffer{}.bytes, {spec.output_directory, spec.key}});
  for (const Validation& part : validations(reader, setting(spec.config, "objective.validation"))) {
    if (part.held_out.count() == 0) {
      throw TaskError("the dataset has no validation rows", {},
                      "give the preprocess stage a split with validation rows, or use folds");
    }
    pool.add(comm, part.held_out, fit_model(train, {part.train, part.held_out}, session).model);
    if (agree_to_stop(comm)) throw Stopped{};
  }
  Json metrics = pool.metrics(comm, wanted);
  if (!metrics.contains(wanted)) {
    std::vector<std::string> names;
    for (const auto& [name, value] : metrics.items()) names.push_back(name);
    throw TaskError(fmt::format("the objective's metric '{}' is not one of this model's", wanted), {},
                    pool.judges_classes() ? "of classes: accuracy, precision, recall, f1, roc_auc, and "
                                            "log_loss where there are probabilities"
                                          : fmt::format("its own: {}", fmt::join(names, ", ")));
  }
  metrics["value"] = metrics.at(wanted);
  if (comm.is_root()) fmt::print("{} {:.10g}\n", wanted, metrics["value"].get<double>());
  return metrics;
}

}  // namespace

Result run_tune(const Spec& spec, const Communicator& comm) {
  try {
    return {judge(spec, comm), Json::object()};
  } catch (const Diverged& error) {
    return diverged(comm, error);
  }
}

}  // namespace kernmill::tasks
