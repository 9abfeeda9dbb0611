#pragma once
#include <cstddef>

#include "kernmill/kernels/processor.hpp"
#include "kernmill/kernels/types.hpp"

namespace kernmill::kernels {

/// work(i) for each i below `count`, of work that does one element by itself. On the host a thread goes over
/// blocks of neighbours in a loop that a compiler can vectorize: it has a copy of the work of its own, so
/// that no element can be a part of that.
template <class Space, class Work>
void for_each(const Space& space, const char* name, std::size_t count, const Work& work) {
  if constexpr (std::is_same_v<typename Space::memory_space, Kokkos::HostSpace>) {
    constexpr std::size_t block = 4096;
    Kokkos::parallel_for(name, Range<Space>(space, 0, (count + block - 1) / block),
                         [work, count](const std::size_t b) {
                           const Work own = work;
                           const std::size_t end = (b + 1) * block < count ? (b + 1) * block : count;
#pragma GCC ivdep
                           for (std::size_t i = b * block; i < end; ++i) own(i);
                         });
  } else {
    Kokkos::parallel_for(name, Range<Space>(space, 0, count), work);
  }
}

/// work(i, j) for each entry of a matrix, likewise: by blocks of rows.
template <class Space, class Work>
void for_each_entry(const Space& space, const char* name, std::size_t rows, std::size_t columns,
                    const Work& work) {
  if constexpr (std::is_same_v<typename Space::memory_space, Kokkos::HostSpace>) {
    constexpr std::size_t entries = 4096;
    const std::size_t block = columns < entries ? entries / (columns + 1) + 1 : 1;  // rows
    Kokkos::parallel_for(name, Range<Space>(space, 0, (rows + block - 1) / block),
                         [work, rows, columns, block](const std::size_t b) {
                           const Work own = work;
                           const std::size_t end = (b + 1) * block < rows ? (b + 1) * block : rows;
                           for (std::size_t i = b * block; i < end; ++i)
#pragma GCC ivdep
                             for (std::size_t j = 0; j < columns; ++j) own(i, j);
                         });
  } else {
    Kokkos::parallel_for(
        name, Range<Space>(space, 0, rows * columns),
        KOKKOS_LAMBDA(const std::size_t index) { work(index / columns, index % columns); });
  }
}

}  // namespace kernmill::kernels
