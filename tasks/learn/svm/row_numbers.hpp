#pragma once
#include <cstddef>
#include <span>

#include "kernmill/kernels/types.hpp"

namespace kernmill::tasks {

/// Numbers of rows, where kernels take them.
using RowNumbers = Kokkos::View<std::size_t*, Kokkos::LayoutRight, typename kernels::Device::memory_space>;

inline RowNumbers row_numbers(std::span<const std::size_t> values) {
  RowNumbers out(Kokkos::view_alloc(Kokkos::WithoutInitializing, "row_numbers"), values.size());
  Kokkos::deep_copy(out, Kokkos::View<const std::size_t*, Kokkos::LayoutRight, Kokkos::HostSpace>(
                             values.data(), values.size()));
  return out;
}

}  // namespace kernmill::tasks
