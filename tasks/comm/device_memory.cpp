#include "kernmill/tasks/comm/device_memory.hpp"

#include <cstdlib>
#include <string_view>

#include <mpi.h>

#include "kernmill/kernels/staging.hpp"

namespace kernmill::tasks {
namespace {

#if defined(MPIX_GPU_SUPPORT_CUDA)  // MPICH, and what is made of it
[[maybe_unused]] bool mpich_takes(int kind) {
#ifdef CRAY_MPICH_VERSION  // it takes none unless it is told to, whatever it was built for
  const char* enabled = std::getenv("MPICH_GPU_SUPPORT_ENABLED");
  if (enabled == nullptr || std::string_view(enabled) != "1") return false;
#endif
  int is_supported = 0;
  return MPIX_GPU_query_support(kind, &is_supported) == MPI_SUCCESS && is_supported != 0;
}
#endif

bool takes_memory_of_gpu() {
#if defined(KOKKOS_ENABLE_CUDA) && defined(KOKKOS_ENABLE_IMPL_CUDA_MALLOC_ASYNC)
  return false;
#elif defined(KOKKOS_ENABLE_CUDA) && defined(MPIX_GPU_SUPPORT_CUDA)
  return mpich_takes(MPIX_GPU_SUPPORT_CUDA);
#elif defined(KOKKOS_ENABLE_HIP) && defined(MPIX_GPU_SUPPORT_HIP)
  return mpich_takes(MPIX_GPU_SUPPORT_HIP);
#elif defined(KOKKOS_ENABLE_SYCL) && defined(MPIX_GPU_SUPPORT_ZE)
  return mpich_takes(MPIX_GPU_SUPPORT_ZE);
#else
  return false;
#endif
}

}  // namespace

bool mpi_takes_device_memory() {
  return kernels::host_reaches_device || takes_memory_of_gpu();
}

std::string way_of_messages() {
  if (kernels::host_reaches_device) return "";
  return takes_memory_of_gpu() ? ", messages from the GPU's memory" : ", messages through pinned host memory";
}

}  // namespace kernmill::tasks
