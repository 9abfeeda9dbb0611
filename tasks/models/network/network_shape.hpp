#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "kernmill/kernels/activation.hpp"
#include "kernmill/kernels/gemm.hpp"
#include "kernmill/tasks/models/network/layer.hpp"
#include "kernmill/tasks/models/network/loss.hpp"
#include "kernmill/tasks/models/network/sequence_shape.hpp"

namespace kernmill::tasks {

/// What a network is made of, without its parameters.
struct NetworkShape {
  std::vector<std::uint64_t> widths;  ///< features, hidden..., outputs
  kernels::Activation activation = kernels::Activation::relu;
  Loss loss = Loss::cross_entropy;
  bool layer_norm = false;  ///< between a hidden layer's weights and its activation
  double dropout = 0;       ///< the share of the hidden units that a training step does without
  Cell cell = Cell::none;   ///< of the hidden layers; none: they are dense
  kernels::Multiply multiply = kernels::Multiply::fast;  ///< how layers do
  std::size_t steps = 1;  ///< of a sequence: the features are those of the first step, of the second, ...

  /// Layers that have weights: hidden ones, and the last.
  [[nodiscard]] std::size_t layer_count() const { return widths.size() - 1; }
  [[nodiscard]] bool is_recurrent(std::size_t layer) const {
    return cell != Cell::none && layer + 1 < layer_count();
  }
  /// Whether hidden dense layers activate, and none behind them does.
  [[nodiscard]] bool fuses_activation() const {
    return !layer_norm && activation != kernels::Activation::gelu;
  }
  /// Of a recurrent layer.
  [[nodiscard]] SequenceShape sequence(std::size_t layer) const {
    return {cell, steps, layer == 0 ? widths[0] / steps : widths[layer], widths[layer + 1],
            is_recurrent(layer + 1)};
  }

  /// Whether the parameters of the two mean the same: what counts in training alone is not compared.
  friend bool operator==(const NetworkShape& a, const NetworkShape& b) {
    return a.widths == b.widths && a.activation == b.activation && a.loss == b.loss &&
           a.layer_norm == b.layer_norm && a.cell == b.cell && a.steps == b.steps;
  }
};

/// The number of its parameters; nothing where no 64 bits have room for it.
std::optional<std::uint64_t> parameters_in(const NetworkShape& shape);

/// Its layers, in the order in which rows go through them. A hidden layer is dense, with its activation, or
/// recurrent; layer_norm and gelu are layers of their own behind the weights, dropout is the last.
template <class T>
std::vector<std::unique_ptr<Layer<T>>> make_layers(const NetworkShape& shape);

}  // namespace kernmill::tasks
