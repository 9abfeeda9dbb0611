#pragma once
#include "kernmill/kernels/for_each.hpp"
#include "kernmill/kernels/types.hpp"

namespace kernmill::kernels {

/// Numbers of rows.
template <class Space>
using RowNumbers = Kokkos::View<std::uint64_t*, Kokkos::LayoutRight, typename Space::memory_space>;

/// to(i, j) = from(numbers(i), j).
template <class Space, class T = double>
void gather_rows(const Space& space, ConstMatrix<Space, T> from, const RowNumbers<Space>& numbers,
                 Matrix<Space, T> to) {
  for_each_entry(
      space, "kernmill_gather_rows", to.extent(0), to.extent(1),
      KOKKOS_LAMBDA(const std::size_t i, const std::size_t j) { to(i, j) = from(numbers(i), j); });
}

/// to(i) = from(numbers(i)).
template <class Space, class T>
void gather(const Space& space, ConstVector<Space, T> from, const RowNumbers<Space>& numbers,
            Vector<Space, T> to) {
  for_each(
      space, "kernmill_gather", to.extent(0),
      KOKKOS_LAMBDA(const std::size_t i) { to(i) = from(numbers(i)); });
}

}  // namespace kernmill::kernels
