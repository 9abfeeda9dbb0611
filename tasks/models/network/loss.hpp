#pragma once
#include "kernmill/kernels/types.hpp"

namespace kernmill::tasks {

/// What a network's outputs are measured by.
enum class Loss { cross_entropy, squared_hinge, squared_error };

/// What the rows of a batch should give: labels of a class target, or numbers (n x outputs).
template <class T>
struct Targets {
  kernels::ConstLabels<kernels::Device> labels;
  kernels::ConstMatrix<kernels::Device, T> numbers;
};

/// Into how many parts a loss of so many outputs is told: one, or one an output.
std::size_t parts_of(Loss loss, std::size_t outputs);

/// How much a row's outputs are off.
struct LossShape {
  Loss loss = Loss::cross_entropy;
  /// Of the squared error: an error beyond it counts linearly (kernels::huber); 0: none does.
  double huber_delta = 0;
};

/// In place of the outputs `z` their gradient; `terms` gets each row's loss, by part, and whether it was
/// predicted right (kernels/loss.hpp).
template <class T>
void apply_loss(const LossShape& loss, const Targets<T>& targets,
                const kernels::Matrix<kernels::Device, T>& z,
                const kernels::Matrix<kernels::Device, T>& terms);

}  // namespace kernmill::tasks
