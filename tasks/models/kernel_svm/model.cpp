#include "kernmill/tasks/models/kernel_svm/fit.hpp"
#include "kernmill/tasks/models/kernel_svm/random_features.hpp"
#include "kernmill/tasks/models/kernel_svm/settings.hpp"
#include "kernmill/tasks/models/kernel_svm/support_vectors.hpp"
#include "kernmill/tasks/models/registry.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

Fit fit_either_svm(const Json& config, const FitData& data, Session& session) {
  const bool approximate = read_kernel_svm(setting(config, "model")).random_features > 0;
  return approximate ? fit_random_features(config, data, session) : fit_kernel_svm(config, data, session);
}

std::unique_ptr<Predictor> open_either_svm(const storage::Model& model) {
  const bool approximate = read_kernel_svm(setting(config_of(model), "model")).random_features > 0;
  return approximate ? open_random_features(model) : open_support_vectors(model);
}

}  // namespace

extern constinit const ModelKind kernel_svm_model{
    .type = "kernel_svm", .predicts_classes = true, .fit = fit_either_svm, .open = open_either_svm};

}  // namespace kernmill::tasks
