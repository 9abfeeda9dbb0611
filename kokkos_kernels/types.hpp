#pragma once
#include <cstddef>

#include <Kokkos_Core.hpp>

/// The arrays that every kernel takes. All of them are contiguous and row-major (LayoutRight on every back
/// end), so that a span of the host and an array of the device have the same shape. Kernels take the
/// execution space first; the arrays of a call live in that space's memory.
namespace kernmill::kernels {

template <class Space>
using Matrix = Kokkos::View<double**, Kokkos::LayoutRight, typename Space::memory_space>;
template <class Space>
using ConstMatrix = Kokkos::View<const double**, Kokkos::LayoutRight, typename Space::memory_space>;
template <class Space>
using Vector = Kokkos::View<double*, Kokkos::LayoutRight, typename Space::memory_space>;
template <class Space>
using ConstVector = Kokkos::View<const double*, Kokkos::LayoutRight, typename Space::memory_space>;
/// Class indices, one a row.
template <class Space>
using Labels = Kokkos::View<int*, Kokkos::LayoutRight, typename Space::memory_space>;
template <class Space>
using ConstLabels = Kokkos::View<const int*, Kokkos::LayoutRight, typename Space::memory_space>;

using Host = Kokkos::DefaultHostExecutionSpace;
using Device = Kokkos::DefaultExecutionSpace;

/// An array whose values are not set.
template <class Space>
Matrix<Space> make_matrix(std::size_t rows, std::size_t columns) {
  return Matrix<Space>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "matrix"), rows, columns);
}
template <class Space>
Vector<Space> make_vector(std::size_t size) {
  return Vector<Space>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "vector"), size);
}

/// Rows [first, first + count) of a matrix: a view of it, not a copy; the matrix has to outlive it.
template <class Space>
Matrix<Space> rows_of(const Matrix<Space>& matrix, std::size_t first, std::size_t count) {
  return Matrix<Space>(matrix.data() + first * matrix.extent(1), count, matrix.extent(1));
}
/// `rows * columns` values from `first` on as a matrix: a view, not a copy.
template <class Space>
Matrix<Space> matrix_of(const Vector<Space>& values, std::size_t first, std::size_t rows,
                        std::size_t columns) {
  return Matrix<Space>(values.data() + first, rows, columns);
}
template <class Space>
Vector<Space> part_of(const Vector<Space>& values, std::size_t first, std::size_t count) {
  return Vector<Space>(values.data() + first, count);
}

/// Host memory as an array of the host: a view, not a copy.
inline Vector<Host> host_vector(double* values, std::size_t size) {
  return Vector<Host>(values, size);
}
inline ConstVector<Host> host_vector(const double* values, std::size_t size) {
  return ConstVector<Host>(values, size);
}

template <class Space>
using Range = Kokkos::RangePolicy<Space, Kokkos::IndexType<std::size_t>>;

}  // namespace kernmill::kernels
