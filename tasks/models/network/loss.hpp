#pragma once
#include "kernmill/kernels/types.hpp"

namespace kernmill::tasks {

/// What a network's outputs are measured by.
struct Loss {
  enum Kind {
    cross_entropy,
    squared_hinge,
    hinge,
    logistic,
    squared_error,
    epsilon_insensitive,
    squared_epsilon_insensitive,
    huber  ///< half of the squared error, and linear from `width` on
  };
  Kind kind = cross_entropy;
  double width = 0;      ///< epsilon, or the error from which on a squared error is linear (0: none)
  double smoothing = 0;  ///< of corners: corner_loss.hpp
  // NOLINTNEXTLINE(google-explicit-constructor): a kind is a loss
  constexpr Loss(Kind which, double its_width = 0) : kind(which), width(its_width) {}
  /// Whether the target is numbers, not classes.
  [[nodiscard]] constexpr bool is_of_numbers() const { return kind >= squared_error; }
  /// Whether it has corners, where no derivative is.
  [[nodiscard]] constexpr bool has_corners() const { return kind == hinge || kind == epsilon_insensitive; }
  /// Whether outputs are turned into probabilities of the classes.
  [[nodiscard]] constexpr bool gives_probabilities() const {
    return kind == cross_entropy || kind == logistic;
  }
  friend constexpr bool operator==(const Loss&, const Loss&) = default;
};

/// What the rows of a batch should give: labels of a class target, or numbers (n x outputs).
template <class T>
struct Targets {
  kernels::ConstLabels<kernels::Device> labels;
  kernels::ConstMatrix<kernels::Device, T> numbers;
};

/// Into how many parts a loss of so many outputs is told: one, or one an output.
std::size_t parts_of(Loss loss, std::size_t outputs);

/// In place of the outputs `z` their gradient; `terms` gets each row's loss, by part, and whether it was
/// predicted right (kernels/loss.hpp). `curvature`, where it is there (rows x outputs), gets what
/// `multiply_by_curvature` needs of a row's second derivatives. In float, of cross_entropy, squared_hinge and
/// squared_error alone.
template <class T>
void apply_loss(Loss loss, const Targets<T>& targets, const kernels::Matrix<kernels::Device, T>& z,
                const kernels::Matrix<kernels::Device, T>& terms,
                const kernels::Matrix<kernels::Device, T>& curvature = {});

/// In place of each row of `u` the product of the row's second derivatives and it.
void multiply_by_curvature(Loss loss, const kernels::Matrix<kernels::Device>& curvature,
                           const kernels::Matrix<kernels::Device>& u);

/// The second derivatives by one output each.
void set_diagonal(Loss loss, const kernels::Matrix<kernels::Device>& curvature,
                  const kernels::Matrix<kernels::Device>& diagonal);

}  // namespace kernmill::tasks
