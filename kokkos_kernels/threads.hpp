#pragma once
#include <cstddef>
#include <functional>

namespace kernmill::kernels {

/// How many threads a rank's products on the host may use: OMP_NUM_THREADS, which a stage's `cpus_per_task`
/// is told by; without it those of Kokkos' host back end.
int host_threads();

/// work(i) for each i below `count`, in any order, by host_threads; it must not throw.
void on_host_threads(std::size_t count, const std::function<void(std::size_t)>& work);

}  // namespace kernmill::kernels
