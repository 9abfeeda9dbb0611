#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "kernmill/kernels/processor.hpp"
#include "kernmill/kernels/types.hpp"

namespace kernmill::kernels {

/// work(b) for each block b below `count`, on the host. A single thread goes over them where it is called, so
/// that the loops in a block are compiled for the processor's level, as their caller is (processor.hpp).
template <class Space, class Work>
void for_each_block(const Space& space, const char* name, std::size_t count, const Work& work) {
  if (space.concurrency() == 1) {
    for (std::size_t b = 0; b < count; ++b) work(b);
  } else {
    Kokkos::parallel_for(name, Range<Space>(space, 0, count), work);
  }
}

/// work(i) for each i below `count`, of work that does one element by itself. On the host a thread goes over
/// blocks of neighbours in a loop that a compiler can vectorize: it has a copy of the work of its own, so
/// that no element can be a part of that.
template <class Space, class Work>
void for_each(const Space& space, const char* name, std::size_t count, const Work& work) {
  if constexpr (std::is_same_v<typename Space::memory_space, Kokkos::HostSpace>) {
    constexpr std::size_t block = 4096;
    for_each_block(space, name, (count + block - 1) / block, [work, count](const std::size_t b) {
      const Work own = work;
      const std::size_t end = (b + 1) * block < count ? (b + 1) * block : count;
#pragma GCC ivdep
      for (std::size_t i = b * block; i < end; ++i) own(i);
    });
  } else {
    Kokkos::parallel_for(name, Range<Space>(space, 0, count), work);
  }
}

/// work(i, j) for each entry of a matrix of less than 2^31 columns, likewise: by blocks of rows. Devices,
/// which divide 32 bits much faster than 64, take as many rows at once as have an index of 32.
template <class Space, class Work>
void for_each_entry(const Space& space, const char* name, std::size_t rows, std::size_t columns,
                    const Work& work) {
  if constexpr (std::is_same_v<typename Space::memory_space, Kokkos::HostSpace>) {
    constexpr std::size_t entries = 4096;
    const std::size_t block = columns < entries ? entries / (columns + 1) + 1 : 1;  // rows
    for_each_block(space, name, (rows + block - 1) / block,
                   [work, rows, columns, block](const std::size_t b) {
                     const Work own = work;
                     const std::size_t end = (b + 1) * block < rows ? (b + 1) * block : rows;
                     for (std::size_t i = b * block; i < end; ++i)
#pragma GCC ivdep
                       for (std::size_t j = 0; j < columns; ++j) own(i, j);
                   });
  } else if (columns > 0) {
    using Index = std::uint32_t;
    const auto width = static_cast<Index>(columns);
    const std::size_t block = std::max<std::size_t>(std::numeric_limits<std::int32_t>::max() / width, 1);
    for (std::size_t first = 0; first < rows; first += block) {
      const auto count = static_cast<Index>(std::min(block, rows - first) * columns);
      Kokkos::parallel_for(
          name, Kokkos::RangePolicy<Space, Kokkos::IndexType<Index>>(space, 0, count),
          KOKKOS_LAMBDA(const Index index) {
            const Index row = index / width;
            work(first + row, std::size_t{index - row * width});
          });
    }
  }
}

}  // namespace kernmill::kernels
