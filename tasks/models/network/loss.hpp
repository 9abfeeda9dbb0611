#pragma once
#include "kernmill/kernels/types.hpp"

namespace kernmill::tasks {

/// What a network's outputs are measured by.
struct Loss {
  enum Kind { cross_entropy, squared_hinge, squared_error, logistic };
  Kind kind = cross_entropy;
  constexpr Loss(Kind which) : kind(which) {}  // NOLINT(google-explicit-constructor): a kind is a loss
  /// Whether the target is numbers, not classes.
  [[nodiscard]] constexpr bool is_of_numbers() const { return kind == squared_error; }
  /// Whether outputs are turned into probabilities of the classes.
  [[nodiscard]] constexpr bool gives_probabilities() const {
    return kind == cross_entropy || kind == logistic;
  }
  friend constexpr bool operator==(const Loss&, const Loss&) = default;
};

/// What the rows of a batch should give: labels of a class target, or numbers (n x outputs).
struct Targets {
  kernels::ConstLabels<kernels::Device> labels;
  kernels::ConstMatrix<kernels::Device> numbers;
};

/// Into how many parts a loss of so many outputs is told: one, or one an output.
std::size_t parts_of(Loss loss, std::size_t outputs);

/// In place of the outputs `z` their gradient; `terms` gets each row's loss, by part, and whether it was
/// predicted right (kernels/loss.hpp).
void apply_loss(Loss loss, const Targets& targets, const kernels::Matrix<kernels::Device>& z,
                const kernels::Matrix<kernels::Device>& terms);

/// What `multiply_by_curvature` needs of a row's second derivatives, one number an output, from the gradient
/// that `apply_loss` left.
void set_curvature(Loss loss, const Targets& targets, const kernels::Matrix<kernels::Device>& gradient,
                   const kernels::Matrix<kernels::Device>& curvature);

/// In place of each row of `u` the product of the row's second derivatives and it.
void multiply_by_curvature(Loss loss, const kernels::Matrix<kernels::Device>& curvature,
                           const kernels::Matrix<kernels::Device>& u);

/// The second derivatives by one output each.
void set_diagonal(Loss loss, const kernels::Matrix<kernels::Device>& curvature,
                  const kernels::Matrix<kernels::Device>& diagonal);

}  // namespace kernmill::tasks
