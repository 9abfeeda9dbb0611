#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "kernmill/kernels/activation.hpp"
#include "kernmill/tasks/models/network/layer.hpp"
#include "kernmill/tasks/models/network/loss.hpp"

namespace kernmill::tasks {

/// What a network is made of, without its parameters.
struct NetworkShape {
  std::vector<std::uint64_t> widths;  ///< features, hidden..., outputs
  kernels::Activation activation = kernels::Activation::relu;
  Loss loss = Loss::cross_entropy;
  friend bool operator==(const NetworkShape&, const NetworkShape&) = default;
};

/// Its layers, in the order in which rows go through them.
template <class T>
std::vector<std::unique_ptr<Layer<T>>> make_layers(const NetworkShape& shape);

}  // namespace kernmill::tasks
