#include "kernmill/tasks/models/network/make_network.hpp"

#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/tasks/models/registry.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

/// "softmax, linear_svm or mlp": the models that can.
std::string models_that(bool ModelKind::*can) {
  std::vector<std::string_view> types;
  for (const ModelKind* kind : model_kinds())
    if (kind->*can) types.push_back(kind->type);
  const std::string_view last = types.back();
  types.pop_back();
  return types.empty() ? std::string(last) : fmt::format("{} or {}", fmt::join(types, ", "), last);
}

void require_target(const ModelKind& kind, const storage::Schema& schema) {
  if (schema.target_kind != storage::TargetKind::none) return;
  throw TaskError(fmt::format("{} needs a target, and {} has none", kind.type, schema.source), {},
                  "name the target column in the preprocess stage: target: COLUMN");
}

void require_fit(const ModelKind& kind, const storage::Schema& schema, bool classes) {
  if (classes && !kind.predicts_classes) {
    throw TaskError(
        fmt::format("{} predicts numbers, and the target '{}' is a class", kind.type, schema.target), {},
        fmt::format("use {}, or make it a number: target: {{column: {}, type: number}}",
                    models_that(&ModelKind::predicts_classes), schema.target));
  }
  if (!classes && !kind.predicts_numbers) {
    throw TaskError(fmt::format("{} predicts classes, and the target is a number", kind.type), {},
                    fmt::format("use {}, or make it a class: target: {{column: ..., type: class}}",
                                models_that(&ModelKind::predicts_numbers)));
  }
}

void require_two_classes(const storage::Schema& schema) {
  if (schema.classes.size() >= 2) return;
  throw TaskError(fmt::format("the target '{}' has one class only{}", schema.target,
                              schema.classes.empty() ? "" : " ('" + schema.classes.front() + "')"),
                  {}, "a classifier needs rows of two classes or more");
}

void require_no_third_class(const ModelKind& kind, const storage::Schema& schema) {
  if (schema.classes.size() <= 2) return;
  throw TaskError(fmt::format("{} tells two classes apart, and the target '{}' has {}", kind.type,
                              schema.target, schema.classes.size()),
                  {}, "use softmax for more of them");
}

/// Settings of somebody else's may claim layers whose sizes no memory has, or no 64 bits.
void require_size(const NetworkShape& shape, std::uint64_t parameters) {
  if (shape.widths.front() == 0 || shape.widths.back() == 0)
    throw TaskError("the data has no features, or no target", {}, "make the dataset anew, with both");
  const auto needed = parameters_in(shape);
  if (needed && *needed <= parameters) return;
  throw TaskError(fmt::format("its layers of {} units would have more than {} parameters",
                              fmt::join(shape.widths, ", "), parameters),
                  {}, "make the hidden layers smaller; of a trained model the file is damaged");
}

}  // namespace

Network make_network(const NetworkModel& model, const storage::Schema& schema, std::uint64_t parameters) {
  const bool classes = schema.target_kind == storage::TargetKind::classes;
  require_target(*model.kind, schema);
  require_fit(*model.kind, schema, classes);
  if (classes) require_two_classes(schema);
  NetworkShape shape;
  shape.widths.push_back(schema.features.size());
  model.describe(schema, shape);
  const Loss own = classes ? model.kind->network->class_loss : Loss(Loss::squared_error);
  shape.loss = model.loss().value_or(own);
  if (shape.loss == Loss::logistic) require_no_third_class(*model.kind, schema);
  shape.widths.push_back(!classes                       ? schema.target_names.size()
                         : shape.loss == Loss::logistic ? 1
                                                        : schema.classes.size());
  require_size(shape, parameters);
  return Network(std::move(shape));
}

}  // namespace kernmill::tasks
