#include "kernmill/tasks/learn/monitor/not_finite.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace kernmill::tasks {
namespace {

/// Number of the first layer that has such a value, from 1; 0: none has.
std::size_t first_layer_in(std::span<const Network::Layer> layers, std::span<const double> values) {
  const auto bad =
      std::find_if(values.begin(), values.end(), [](double value) { return !std::isfinite(value); });
  if (bad == values.end()) return 0;
  const auto at = static_cast<std::size_t>(bad - values.begin());
  for (std::size_t i = layers.size(); i-- > 0;)
    if (at >= layers[i].weights) return i + 1;
  return 0;
}

std::string named(std::span<const Network::Layer> layers, std::size_t number) {
  const auto& layer = layers[number - 1];
  return fmt::format("layer {} of {} ({} -> {})", number, layers.size(), layer.inputs, layer.outputs);
}

}  // namespace

std::string first_not_finite(std::span<const Network::Layer> layers, std::span<const double> parameters,
                             std::span<const double> gradient) {
  if (const std::size_t layer = first_layer_in(layers, parameters); layer > 0)
    return fmt::format("{} is the first with weights that are not finite", named(layers, layer));
  if (const std::size_t layer = first_layer_in(layers, gradient); layer > 0)
    return fmt::format("all weights are finite, and {} is the first with a gradient that is not",
                       named(layers, layer));
  return "all weights are finite: the outputs for some row are not";
}

}  // namespace kernmill::tasks
