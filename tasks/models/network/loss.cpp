#include "kernmill/tasks/models/network/loss.hpp"

#include "kernmill/kernels/curvature.hpp"
#include "kernmill/kernels/loss.hpp"
#include "kernmill/kernels/margin_loss.hpp"

namespace kernmill::tasks {

std::size_t parts_of(Loss loss, std::size_t outputs) {
  return loss == Loss::cross_entropy ? 1 : outputs;
}

void apply_loss(Loss loss, const Targets& targets, const kernels::Matrix<kernels::Device>& z,
                const kernels::Matrix<kernels::Device>& terms) {
  using kernels::Device;
  const Device space;
  switch (loss.kind) {
    case Loss::cross_entropy:
      return kernels::cross_entropy<Device>(space, targets.labels, z, terms);
    case Loss::squared_hinge:
      return kernels::squared_hinge<Device>(space, targets.labels, z, terms);
    case Loss::squared_error:
      return kernels::squared_error<Device>(space, targets.numbers, z, terms);
    case Loss::logistic:
      return kernels::logistic<Device>(space, targets.labels, z, terms);
  }
}

void set_curvature(Loss loss, const Targets& targets, const kernels::Matrix<kernels::Device>& gradient,
                   const kernels::Matrix<kernels::Device>& curvature) {
  using kernels::Device;
  const Device space;
  switch (loss.kind) {
    case Loss::cross_entropy:
      return kernels::softmax_curvature<Device>(space, targets.labels, gradient, curvature);
    case Loss::squared_hinge:
      return kernels::quadratic_curvature<Device>(space, gradient, curvature);
    case Loss::squared_error:
      return Kokkos::deep_copy(space, curvature, 2.0);
    case Loss::logistic:
      return kernels::logistic_curvature<Device>(space, gradient, curvature);
  }
}

void multiply_by_curvature(Loss loss, const kernels::Matrix<kernels::Device>& curvature,
                           const kernels::Matrix<kernels::Device>& u) {
  using kernels::Device;
  loss == Loss::cross_entropy ? kernels::multiply_by_softmax<Device>(Device(), curvature, u)
                              : kernels::multiply_entries<Device>(Device(), curvature, u);
}

void set_diagonal(Loss loss, const kernels::Matrix<kernels::Device>& curvature,
                  const kernels::Matrix<kernels::Device>& diagonal) {
  using kernels::Device;
  loss == Loss::cross_entropy ? kernels::softmax_diagonal<Device>(Device(), curvature, diagonal)
                              : Kokkos::deep_copy(Device(), diagonal, curvature);
}

}  // namespace kernmill::tasks
