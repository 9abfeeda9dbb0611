#include "kernmill/tasks/models/network/linear.hpp"

#include <fmt/format.h>

#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

std::vector<double> initial_values(const std::vector<double>& given, std::size_t count, const char* what) {
  if (given.empty()) return std::vector<double>(count, 0.0);
  if (given.size() == 1) return std::vector<double>(count, given.front());
  if (given.size() == count) return given;
  throw TaskError(
      fmt::format("model.init.{} holds {} numbers, and the model has {}", what, given.size(), count), {},
      "give one number for each, features in the outer order and outputs in the inner");
}

}  // namespace

void read_linear_settings(const Json& model, ModelSettings& settings) {
  settings.l2 = setting_as<double>(model, "l2");
  settings.regularize_bias = setting_as<bool>(model, "regularize_bias");
}

std::vector<double> linear_start(const ModelSettings& settings, const Network& network, std::uint64_t) {
  std::vector<double> parameters =
      initial_values(settings.initial_weights, network.features() * network.outputs(), "weights");
  const std::vector<double> bias = initial_values(settings.initial_bias, network.outputs(), "bias");
  parameters.insert(parameters.end(), bias.begin(), bias.end());
  return parameters;
}

}  // namespace kernmill::tasks
