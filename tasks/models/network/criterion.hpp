#pragma once
#include <cstdint>
#include <span>

#include "kernmill/tasks/models/network/network.hpp"

namespace kernmill::tasks {

/// What a model minimises: weight * (summed loss of the rows) + penalty / 2 * ||W||^2 + l1 * |W|_1. The
/// biases are part of W where they are regularised.
struct Criterion {
  double weight = 1, penalty = 0;
  bool penalize_bias = false;
  /// What a step of a first-order method follows is this times the gradient: the mean over the rows for every
  /// model, so that a learning rate means the same whatever the number of rows.
  double step_weight = 1;
  double l1 = 0;  ///< which has no gradient: of methods that can do without

  [[nodiscard]] bool penalizes(const ParameterTensor& tensor) const {
    return tensor.is_weight || penalize_bias;
  }
  /// What W costs; of each output j of a linear model, without l1, or the whole in one number.
  [[nodiscard]] double penalty_of(const Network& network, std::span<const double> parameters) const;
  [[nodiscard]] double penalty_of_output(const Network& network, std::span<const double> parameters,
                                         std::uint64_t output) const;
  void add_penalty_gradient(const Network& network, std::span<const double> parameters,
                            std::span<double> gradient) const;
};

}  // namespace kernmill::tasks
