#pragma once
#include "kernmill/kernels/gemm.hpp"
#include "kernmill/kernels/math.hpp"
#include "kernmill/kernels/sparse.hpp"

namespace kernmill::kernels {

/// out(i, first + j) = values(i, j) - centre(first + j).
template <class Space>
void put_centred(const Space& space, ConstMatrix<Space> values, ConstVector<Space> centre, std::size_t first,
                 Matrix<Space> out) {
  const std::size_t columns = values.extent(1);
  Kokkos::parallel_for(
      "kernmill_centred", Range<Space>(space, 0, values.extent(0) * columns),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / columns, j = index % columns;
        out(i, first + j) = values(i, j) - centre(first + j);
      });
}

/// The same of sparse rows of so many columns.
template <class Space>
void put_centred(const Space& space, const SparseRows<Space>& rows, std::size_t columns,
                 ConstVector<Space> centre, Matrix<Space> out) {
  Kokkos::parallel_for(
      "kernmill_sparse_centred", Range<Space>(space, 0, rows.rows()), KOKKOS_LAMBDA(const std::size_t i) {
        for (std::size_t j = 0; j < columns; ++j) out(i, j) = -centre(j);
        for (std::uint64_t e = rows.begins(i); e < rows.begins(i + 1); ++e)
          out(i, rows.columns(e)) += rows.values(e);
      });
}

/// values(i, column) = 1.
template <class Space>
void put_ones(const Space& space, std::size_t column, Matrix<Space> values) {
  Kokkos::parallel_for(
      "kernmill_ones", Range<Space>(space, 0, values.extent(0)),
      KOKKOS_LAMBDA(const std::size_t i) { values(i, column) = 1.0; });
}

/// out(i, k) = weights(i, column) * values(i, k).
template <class Space>
void put_weighed(const Space& space, ConstMatrix<Space> weights, std::size_t column,
                 ConstMatrix<Space> values, Matrix<Space> out) {
  const std::size_t columns = values.extent(1);
  Kokkos::parallel_for(
      "kernmill_weighed", Range<Space>(space, 0, values.extent(0) * columns),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / columns, k = index % columns;
        out(i, k) = weights(i, column) * values(i, k);
      });
}

/// roots(i) = the square root of values(i).
template <class Space>
void put_roots(const Space& space, ConstVector<Space> values, Vector<Space> roots) {
  Kokkos::parallel_for(
      "kernmill_roots", Range<Space>(space, 0, values.extent(0)),
      KOKKOS_LAMBDA(const std::size_t i) { roots(i) = math::sqrt(values(i)); });
}

/// out(i, k) = factors(i) * scale(k) * values(places(i), k), in single precision: a few of the rows.
template <class Space>
void put_picked(const Space& space, ConstMatrix<Space> values, ConstVector<Space, std::uint32_t> places,
                ConstVector<Space> factors, ConstVector<Space> scale, Matrix<Space, float> out) {
  const std::size_t columns = out.extent(1);
  Kokkos::parallel_for(
      "kernmill_picked", Range<Space>(space, 0, out.extent(0) * columns),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / columns, k = index % columns;
        out(i, k) = static_cast<float>(factors(i) * scale(k) * values(places(i), k));
      });
}

/// out += transposed values * values: of out the upper triangle, out(i, j) with i <= j; below it is anything.
template <class Space>
void add_gram(const Space& space, ConstMatrix<Space> values, Matrix<Space> out) {
  if constexpr (detail::Blas<Space>::has_gram) {
    if (values.extent(0) > 0)
      detail::Blas<Space>::add_gram(space, values.extent(1), values.extent(0), values.data(), out.data());
  } else {
    gemm<Space>(space, Transpose::yes, Transpose::no, 1.0, values, values, 1.0, out);
  }
}

}  // namespace kernmill::kernels
