#include "kernmill/tasks/models/network/loss.hpp"

#include "kernmill/kernels/loss.hpp"

namespace kernmill::tasks {

std::size_t parts_of(Loss loss, std::size_t outputs) {
  return loss == Loss::cross_entropy ? 1 : outputs;
}

template <class T>
void apply_loss(const LossShape& loss, const Targets<T>& targets,
                const kernels::Matrix<kernels::Device, T>& z,
                const kernels::Matrix<kernels::Device, T>& terms) {
  using kernels::Device;
  const Device space;
  switch (loss.loss) {
    case Loss::cross_entropy:
      return kernels::cross_entropy<Device, T>(space, targets.labels, z, terms);
    case Loss::squared_hinge:
      return kernels::squared_hinge<Device, T>(space, targets.labels, z, terms);
    case Loss::squared_error:
      if (loss.huber_delta > 0)
        return kernels::huber<Device, T>(space, static_cast<T>(loss.huber_delta), targets.numbers, z, terms);
      return kernels::squared_error<Device, T>(space, targets.numbers, z, terms);
  }
}

template void apply_loss(const LossShape&, const Targets<double>&,
                         const kernels::Matrix<kernels::Device, double>&,
                         const kernels::Matrix<kernels::Device, double>&);
template void apply_loss(const LossShape&, const Targets<float>&,
                         const kernels::Matrix<kernels::Device, float>&,
                         const kernels::Matrix<kernels::Device, float>&);

}  // namespace kernmill::tasks
