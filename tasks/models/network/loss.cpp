#include "kernmill/tasks/models/network/loss.hpp"

#include "kernmill/kernels/corner_loss.hpp"
#include "kernmill/kernels/curvature.hpp"
#include "kernmill/kernels/loss.hpp"
#include "kernmill/kernels/margin_loss.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;
using Matrix = kernels::Matrix<Device>;

/// By the gradient; losses with corners have set theirs.
void set_curvature(Loss loss, const Targets& targets, const Matrix& gradient, const Matrix& curvature) {
  const Device space;
  if (loss == Loss::cross_entropy)
    kernels::softmax_curvature<Device>(space, targets.labels, gradient, curvature);
  if (loss.kind == Loss::squared_hinge || loss.kind == Loss::squared_epsilon_insensitive)
    kernels::quadratic_curvature<Device>(space, gradient, curvature);
  if (loss.kind == Loss::squared_error) Kokkos::deep_copy(space, curvature, 2.0);
  if (loss.kind == Loss::logistic) kernels::logistic_curvature<Device>(space, gradient, curvature);
  if (loss.kind == Loss::huber) kernels::huber_curvature<Device>(space, loss.width, gradient, curvature);
}

}  // namespace

std::size_t parts_of(Loss loss, std::size_t outputs) {
  return loss == Loss::cross_entropy ? 1 : outputs;
}

void apply_loss(Loss loss, const Targets& targets, const Matrix& z, const Matrix& terms,
                const Matrix& curvature) {
  const Device space;
  switch (loss.kind) {
    case Loss::cross_entropy:
      kernels::cross_entropy<Device>(space, targets.labels, z, terms);
      break;
    case Loss::squared_hinge:
      kernels::squared_hinge<Device>(space, targets.labels, z, terms);
      break;
    case Loss::hinge:
      kernels::hinge<Device>(space, targets.labels, loss.smoothing, z, terms, curvature);
      break;
    case Loss::logistic:
      kernels::logistic<Device>(space, targets.labels, z, terms);
      break;
    case Loss::squared_error:
      kernels::squared_error<Device>(space, targets.numbers, z, terms);
      break;
    case Loss::epsilon_insensitive:
      kernels::epsilon_insensitive<Device>(space, targets.numbers, loss.width, loss.smoothing, z, terms,
                                           curvature);
      break;
    case Loss::squared_epsilon_insensitive:
      kernels::squared_epsilon_insensitive<Device>(space, targets.numbers, loss.width, z, terms);
      break;
    case Loss::huber:
      kernels::huber<Device>(space, targets.numbers, loss.width, z, terms);
      break;
  }
  if (curvature.extent(0) > 0) set_curvature(loss, targets, z, curvature);
}

void multiply_by_curvature(Loss loss, const kernels::Matrix<kernels::Device>& curvature,
                           const kernels::Matrix<kernels::Device>& u) {
  loss == Loss::cross_entropy ? kernels::multiply_by_softmax<Device>(Device(), curvature, u)
                              : kernels::multiply_entries<Device>(Device(), curvature, u);
}

void set_diagonal(Loss loss, const kernels::Matrix<kernels::Device>& curvature,
                  const kernels::Matrix<kernels::Device>& diagonal) {
  loss == Loss::cross_entropy ? kernels::softmax_diagonal<Device>(Device(), curvature, diagonal)
                              : Kokkos::deep_copy(Device(), diagonal, curvature);
}

}  // namespace kernmill::tasks
