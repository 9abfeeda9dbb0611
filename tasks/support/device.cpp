#include "kernmill/tasks/support/device.hpp"

#include <fmt/format.h>

#include "kernmill/kernels/types.hpp"

namespace kernmill::tasks {

std::string missing_device() {
#ifdef KOKKOS_ENABLE_CUDA
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess || count == 0)
    return fmt::format(
        "this kernmill-task computes on GPUs, and it can use none here: {}. Give the stage gpus_per_task: 1 "
        "in "
        "its resources, or install a kernmill-task that was built without CUDA",
        error == cudaSuccess ? "there is none" : cudaGetErrorString(error));
#endif
  return "";
}

}  // namespace kernmill::tasks
