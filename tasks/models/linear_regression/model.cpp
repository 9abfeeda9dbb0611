#include "kernmill/tasks/models/model_kind.hpp"
#include "kernmill/tasks/models/network/linear.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

void read_regression_settings(const Json& model, ModelSettings& settings) {
  read_linear_settings(model, settings);
  settings.l1 = model.value("l1", 0.0);  // not there in runs from before
  if (model.value("loss", "squared_error") == "huber")
    settings.loss = Loss(Loss::huber, setting_as<double>(model, "delta"));
}

/// The mean squared error of rows and targets + l2 * ||W||^2 + l1 * |W|_1.
Criterion regression_criterion(const ModelSettings& settings, std::uint64_t rows, std::uint64_t targets) {
  const double mean = 1.0 / static_cast<double>(rows);
  return {mean / static_cast<double>(targets), 2.0 * settings.l2, settings.regularize_bias, 1.0, settings.l1};
}

}  // namespace

extern constinit const ModelKind linear_regression_model{.type = "linear_regression",
                                                         .predicts_numbers = true,
                                                         .read_settings = read_regression_settings,
                                                         .criterion = regression_criterion,
                                                         .start = linear_start};

}  // namespace kernmill::tasks
