#include "kernmill/tasks/models/network/loss.hpp"

#include "kernmill/kernels/loss.hpp"

namespace kernmill::tasks {

std::size_t parts_of(Loss loss, std::size_t outputs) {
  return loss == Loss::cross_entropy ? 1 : outputs;
}

void apply_loss(Loss loss, const Targets& targets, const kernels::Matrix<kernels::Device>& z,
                const kernels::Matrix<kernels::Device>& terms) {
  using kernels::Device;
  const Device space;
  switch (loss) {
    case Loss::cross_entropy:
      return kernels::cross_entropy<Device>(space, targets.labels, z, terms);
    case Loss::squared_hinge:
      return kernels::squared_hinge<Device>(space, targets.labels, z, terms);
    case Loss::squared_error:
      return kernels::squared_error<Device>(space, targets.numbers, z, terms);
  }
}

}  // namespace kernmill::tasks
