#include "kernmill/tasks/models/network/loss.hpp"

#include <stdexcept>
#include <type_traits>

#include "kernmill/kernels/corner_loss.hpp"
#include "kernmill/kernels/curvature.hpp"
#include "kernmill/kernels/loss.hpp"
#include "kernmill/kernels/margin_loss.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;
using Matrix = kernels::Matrix<Device>;

/// By the gradient; losses with corners have set theirs.
void set_curvature(Loss loss, const Targets<double>& targets, const Matrix& gradient,
                   const Matrix& curvature) {
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

/// Of those that linear models alone have.
void apply_linear_loss(Loss loss, const Targets<double>& targets, const Matrix& z, const Matrix& terms,
                       const Matrix& curvature) {
  const Device space;
  if (loss == Loss::logistic) kernels::logistic<Device>(space, targets.labels, z, terms);
  if (loss.kind == Loss::hinge)
    kernels::hinge<Device>(space, targets.labels, loss.smoothing, z, terms, curvature);
  if (loss.kind == Loss::epsilon_insensitive)
    kernels::epsilon_insensitive<Device>(space, targets.numbers, loss.width, loss.smoothing, z, terms,
                                         curvature);
  if (loss.kind == Loss::squared_epsilon_insensitive)
    kernels::squared_epsilon_insensitive<Device>(space, targets.numbers, loss.width, z, terms);
  if (loss.kind == Loss::huber) kernels::half_huber<Device>(space, targets.numbers, loss.width, z, terms);
}

template <class T>
void apply_loss(Loss loss, const Targets<T>& targets, const kernels::Matrix<Device, T>& z,
                const kernels::Matrix<Device, T>& terms, const kernels::Matrix<Device, T>& curvature) {
  const Device space;
  if (loss == Loss::cross_entropy) {
    kernels::cross_entropy<Device, T>(space, targets.labels, z, terms);
  } else if (loss == Loss::squared_hinge) {
    kernels::squared_hinge<Device, T>(space, targets.labels, z, terms);
  } else if (loss == Loss::squared_error) {
    kernels::squared_error<Device, T>(space, targets.numbers, z, terms);
  } else if (loss.kind == Loss::squared_error) {
    kernels::huber<Device, T>(space, static_cast<T>(loss.width), targets.numbers, z, terms);
  } else if constexpr (std::is_same_v<T, double>) {
    apply_linear_loss(loss, targets, z, terms, curvature);
  } else {
    throw std::logic_error("a loss that is not for float32");
  }
  if constexpr (std::is_same_v<T, double>)
    if (curvature.extent(0) > 0) set_curvature(loss, targets, z, curvature);
}

template void apply_loss(Loss, const Targets<double>&, const kernels::Matrix<Device, double>&,
                         const kernels::Matrix<Device, double>&, const kernels::Matrix<Device, double>&);
template void apply_loss(Loss, const Targets<float>&, const kernels::Matrix<Device, float>&,
                         const kernels::Matrix<Device, float>&, const kernels::Matrix<Device, float>&);

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
