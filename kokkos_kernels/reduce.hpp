#pragma once
#include <algorithm>

#include "kernmill/kernels/for_each.hpp"
#include "kernmill/kernels/types.hpp"

namespace kernmill::kernels {

/// How many rows one thread adds up in turn. Fixed: together with the pairwise fold of the blocks it makes a
/// sum the same bits for every number of threads.
inline constexpr std::size_t reduction_block = 4096;

/// sums(j) = sum over i of values(i, j), added up in the type of the sums.
template <class Space, class T = double, class Sum = T>
void column_sums(const Space& space, ConstMatrix<Space, T> values, Vector<Space, Sum> sums) {
  const std::size_t rows = values.extent(0), columns = values.extent(1);
  const std::size_t blocks = rows == 0 ? 1 : (rows + reduction_block - 1) / reduction_block;
  auto partial = make_matrix<Space, Sum>(blocks, columns);
  if constexpr (std::is_same_v<typename Space::memory_space, Kokkos::HostSpace>) {
    Kokkos::parallel_for("kernmill_block_sums", Range<Space>(space, 0, blocks), [=](const std::size_t block) {
      const auto from = values;
      const auto to = partial;
      const std::size_t begin = block * reduction_block, end = std::min(begin + reduction_block, rows);
      for (std::size_t j = 0; j < columns; ++j) to(block, j) = 0;
      for (std::size_t i = begin; i < end; ++i)
#pragma GCC ivdep
        for (std::size_t j = 0; j < columns; ++j) to(block, j) += from(i, j);
    });
  } else {
    Kokkos::parallel_for(
        "kernmill_block_sums", Range<Space>(space, 0, blocks * columns),
        KOKKOS_LAMBDA(const std::size_t index) {
          const std::size_t block = index / columns, j = index % columns;
          const std::size_t begin = block * reduction_block;
          const std::size_t end = begin + reduction_block < rows ? begin + reduction_block : rows;
          Sum sum = 0;
          for (std::size_t i = begin; i < end; ++i) sum += values(i, j);
          partial(block, j) = sum;
        });
  }
  Kokkos::parallel_for(
      "kernmill_fold_blocks", Range<Space>(space, 0, columns), KOKKOS_LAMBDA(const std::size_t j) {
        for (std::size_t step = 1; step < blocks; step *= 2) {
          for (std::size_t i = 0; i + step < blocks; i += 2 * step) partial(i, j) += partial(i + step, j);
        }
        sums(j) = partial(0, j);
      });
  space.fence();
}

/// target(i) += source(i).
template <class Space, class T = double>
void add(const Space& space, ConstVector<Space, T> source, Vector<Space, T> target) {
  for_each(
      space, "kernmill_add", target.extent(0),
      KOKKOS_LAMBDA(const std::size_t i) { target(i) += source(i); });
}

}  // namespace kernmill::kernels
