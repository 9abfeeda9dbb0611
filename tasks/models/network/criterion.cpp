#include "kernmill/tasks/models/network/criterion.hpp"

#include <cmath>

namespace kernmill::tasks {
namespace {

double squares(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return sum;
}

double sizes_of(const Network& network, std::span<const double> parameters, bool with_bias) {
  double sum = 0;
  for (const auto& layer : network.layers())
    for (std::size_t i = layer.weights; i < layer.bias + (with_bias ? layer.outputs : 0); ++i)
      sum += std::abs(parameters[i]);
  return sum;
}

}  // namespace

double Criterion::penalty_of(const Network& network, std::span<const double> parameters) const {
  double sum = 0;
  for (const auto& layer : network.layers()) {
    sum += squares(parameters.subspan(layer.weights, layer.inputs * layer.outputs));
    if (penalize_bias) sum += squares(parameters.subspan(layer.bias, layer.outputs));
  }
  return 0.5 * penalty * sum + (l1 == 0 ? 0.0 : l1 * sizes_of(network, parameters, penalize_bias));
}

double Criterion::penalty_of_output(const Network& network, std::span<const double> parameters,
                                    std::uint64_t output) const {
  const auto& layer = network.layers().back();
  double sum = 0;
  for (std::uint64_t i = 0; i < layer.inputs; ++i) {
    const double entry = parameters[layer.weights + i * layer.outputs + output];
    sum += entry * entry;
  }
  const double bias = parameters[layer.bias + output];
  return 0.5 * penalty * (sum + (penalize_bias ? bias * bias : 0.0));
}

void Criterion::add_penalty_gradient(const Network& network, std::span<const double> parameters,
                                     std::span<double> gradient) const {
  if (penalty == 0) return;
  for (const auto& layer : network.layers()) {
    const std::size_t end = penalize_bias ? layer.bias + layer.outputs : layer.bias;
    for (std::size_t i = layer.weights; i < end; ++i) gradient[i] += penalty * parameters[i];
  }
}

}  // namespace kernmill::tasks
