#include <string>

#include "kernmill/tasks/models/model_kind.hpp"
#include "kernmill/tasks/models/network/linear.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

void read_svr_settings(const Json& model, ModelSettings& settings) {
  settings.C = setting_as<double>(model, "C");
  settings.regularize_bias = setting_as<bool>(model, "regularize_bias");
  const auto loss = setting_as<std::string>(model, "loss");
  settings.loss =
      Loss(loss == "epsilon_insensitive" ? Loss::epsilon_insensitive : Loss::squared_epsilon_insensitive,
           setting_as<double>(model, "epsilon"));
}

/// C * the summed loss + 1 / 2 * ||W||^2.
Criterion svr_criterion(const ModelSettings& settings, std::uint64_t rows, std::uint64_t) {
  return {settings.C, 1.0, settings.regularize_bias, 1.0 / static_cast<double>(rows)};
}

}  // namespace

extern constinit const ModelKind linear_svr_model{.type = "linear_svr",
                                                  .predicts_numbers = true,
                                                  .read_settings = read_svr_settings,
                                                  .criterion = svr_criterion,
                                                  .start = linear_start};

}  // namespace kernmill::tasks
