#pragma once
#include <cstddef>
#include <type_traits>

#include <Kokkos_Core.hpp>

/// The arrays that every kernel takes. All of them are contiguous and row-major (LayoutRight on every back
/// end), so that a span of the host and an array of the device have the same shape. Kernels take the
/// execution space first; the arrays of a call live in that space's memory.
namespace kernmill::kernels {

// Their element type is never deduced: a call names it where it is not double.
template <class Space, class T = double>
using Matrix = std::type_identity_t<Kokkos::View<T**, Kokkos::LayoutRight, typename Space::memory_space>>;
template <class Space, class T = double>
using ConstMatrix =
    std::type_identity_t<Kokkos::View<const T**, Kokkos::LayoutRight, typename Space::memory_space>>;
template <class Space, class T = double>
using Vector = std::type_identity_t<Kokkos::View<T*, Kokkos::LayoutRight, typename Space::memory_space>>;
template <class Space, class T = double>
using ConstVector =
    std::type_identity_t<Kokkos::View<const T*, Kokkos::LayoutRight, typename Space::memory_space>>;
/// Class indices, one a row.
template <class Space>
using Labels = Kokkos::View<int*, Kokkos::LayoutRight, typename Space::memory_space>;
template <class Space>
using ConstLabels = Kokkos::View<const int*, Kokkos::LayoutRight, typename Space::memory_space>;

using Host = Kokkos::DefaultHostExecutionSpace;
using Device = Kokkos::DefaultExecutionSpace;

/// An array whose values are not set.
template <class Space, class T = double>
Matrix<Space, T> make_matrix(std::size_t rows, std::size_t columns) {
  return Matrix<Space, T>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "matrix"), rows, columns);
}
template <class Space, class T = double>
Vector<Space, T> make_vector(std::size_t size) {
  return Vector<Space, T>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "vector"), size);
}

/// Rows [first, first + count) of a matrix: a view of it, not a copy; the matrix has to outlive it.
template <class Space, class T = double>
Matrix<Space, T> rows_of(const Matrix<Space, T>& matrix, std::size_t first, std::size_t count) {
  return Matrix<Space, T>(matrix.data() + first * matrix.extent(1), count, matrix.extent(1));
}
/// `rows * columns` values from `first` on as a matrix: a view, not a copy.
template <class Space, class T = double>
Matrix<Space, T> matrix_of(const Vector<Space, T>& values, std::size_t first, std::size_t rows,
                           std::size_t columns) {
  return Matrix<Space, T>(values.data() + first, rows, columns);
}
template <class Space, class T = double>
Vector<Space, T> part_of(const Vector<Space, T>& values, std::size_t first, std::size_t count) {
  return Vector<Space, T>(values.data() + first, count);
}

/// Host memory as an array of the host: a view, not a copy.
template <class T>
Vector<Host, T> host_vector(T* values, std::size_t size) {
  return Vector<Host, T>(values, size);
}

/// A copy on the device, or on the host; a view where that is where it lies.
template <class Space, class T>
Vector<Space, T> on_space(const T* values, std::size_t size) {
  return Kokkos::create_mirror_view_and_copy(typename Space::memory_space(),
                                             Vector<Host, T>(const_cast<T*>(values), size));
}

template <class Space>
using Range = Kokkos::RangePolicy<Space, Kokkos::IndexType<std::size_t>>;

}  // namespace kernmill::kernels
