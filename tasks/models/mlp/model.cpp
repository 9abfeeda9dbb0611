#include <string>

#include "kernmill/tasks/models/model_kind.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

void read_mlp_settings(const Json& model, ModelSettings& settings) {
  settings.l2 = setting_as<double>(model, "l2");
  settings.hidden = setting_as<std::vector<std::uint64_t>>(model, "hidden");
  settings.relu = setting_as<std::string>(model, "activation") == "relu";
}

/// The mean loss of rows and targets + l2 / 2 * ||W||^2, without the biases.
Criterion mlp_criterion(const ModelSettings& settings, std::uint64_t rows, std::uint64_t targets) {
  const double mean = 1.0 / static_cast<double>(rows);
  return {mean / static_cast<double>(targets), settings.l2, false, 1.0};
}

std::vector<double> mlp_start(const ModelSettings&, const Network& network, std::uint64_t seed) {
  return network.start(seed);
}

}  // namespace

extern constinit const ModelKind mlp_model{.type = "mlp",
                                           .predicts_classes = true,
                                           .predicts_numbers = true,
                                           .read_settings = read_mlp_settings,
                                           .criterion = mlp_criterion,
                                           .start = mlp_start};

}  // namespace kernmill::tasks
