#include "kernmill/tasks/models/registry.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

#include "kernmill/storage/file/nesting.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {

// Each is defined in a folder of its own. A new model is such a folder, and its name here.
// NOLINTNEXTLINE(readability-redundant-declaration): a room is compiled as one file
extern const ModelKind softmax_model, logistic_model, linear_svm_model, linear_regression_model,
    linear_svr_model, mlp_model, lstm_model, gru_model, kmeans_model, pca_model, kernel_svm_model;

namespace {

constexpr std::array kinds_of_models{
    &softmax_model,    &logistic_model, &linear_svm_model, &linear_regression_model,
    &linear_svr_model, &mlp_model,      &lstm_model,       &gru_model,
    &kmeans_model,     &pca_model,      &kernel_svm_model};

[[noreturn]] void refuse(const storage::Model& model, const std::string& why) {
  throw TaskError(fmt::format("the model of type '{}' cannot be used: {}", model.type, why), {},
                  "it was made by another version of Kernmill; train it again");
}

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

const ModelKind& model_kind_of(const Json& config) {
  return model_kind(setting_as<std::string>(config, "model.type"));
}

Json config_of(const storage::Model& model) {
  if (storage::nests_deeper_than(model.settings, storage::most_levels))
    refuse(model, "its settings are nested too deeply");
  try {
    return Json::parse(model.settings);
  } catch (const Json::exception& e) {
    refuse(model, e.what());
  }
}

std::unique_ptr<Predictor> open_model(const storage::Model& model) {
  const Json config = config_of(model);
  try {
    const ModelKind& kind = model_kind_of(config);
    if (kind.type != model.type) refuse(model, fmt::format("its settings are those of a {}", kind.type));
    return kind.open(model);
  } catch (const SpecError& e) {
    refuse(model, e.what());
  }
}

}  // namespace kernmill::tasks
