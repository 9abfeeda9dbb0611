#include "kernmill/tasks/models/model_kind.hpp"
#include "kernmill/tasks/models/network/linear.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

void read_svm_settings(const Json& model, ModelSettings& settings) {
  settings.C = setting_as<double>(model, "C");
  settings.regularize_bias = setting_as<bool>(model, "regularize_bias");
  if (model.value("loss", "squared_hinge") == "hinge") settings.loss = Loss::hinge;
}

/// C * the summed hinge loss, squared or not, + 1 / 2 * ||W||^2.
Criterion svm_criterion(const ModelSettings& settings, std::uint64_t rows, std::uint64_t) {
  return {settings.C, 1.0, settings.regularize_bias, 1.0 / static_cast<double>(rows)};
}

}  // namespace

extern constinit const ModelKind linear_svm_model{.type = "linear_svm",
                                                  .predicts_classes = true,
                                                  .class_loss = Loss::squared_hinge,
                                                  .one_against_rest = true,
                                                  .read_settings = read_svm_settings,
                                                  .criterion = svm_criterion,
                                                  .start = linear_start};

}  // namespace kernmill::tasks
