#pragma once
#include "kernmill/kernels/types.hpp"

namespace kernmill::kernels {

/// out = each row less the shift.
template <class Space>
void less_shift(const Space& space, ConstMatrix<Space> rows, ConstVector<Space> shift, Matrix<Space> out) {
  const std::size_t columns = rows.extent(1);
  Kokkos::parallel_for(
      "kernmill_less_shift", Range<Space>(space, 0, rows.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        for (std::size_t j = 0; j < columns; ++j) out(i, j) = rows(i, j) - shift(j);
      });
}

}  // namespace kernmill::kernels
