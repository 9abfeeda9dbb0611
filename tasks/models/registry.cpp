#include "kernmill/tasks/models/registry.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {

// Each is defined in a file of its own. A new model is such a file, and its name here.
// NOLINTNEXTLINE(readability-redundant-declaration): a room is compiled as one file
extern const ModelKind softmax_model, logistic_model, linear_svm_model, linear_regression_model,
    linear_svr_model, mlp_model;

namespace {

constexpr std::array kinds_of_models{&softmax_model,           &logistic_model,   &linear_svm_model,
                                     &linear_regression_model, &linear_svr_model, &mlp_model};

}  // namespace

std::span<const ModelKind* const> model_kinds() {
  return kinds_of_models;
}

const ModelKind& model_kind(std::string_view type) {
  const auto found = std::find_if(kinds_of_models.begin(), kinds_of_models.end(),
                                  [&](const ModelKind* kind) { return kind->type == type; });
  if (found == kinds_of_models.end()) throw SpecError("spec.json: '" + std::string(type) + "' is no model");
  return **found;
}

}  // namespace kernmill::tasks
