#pragma once
#include "kernmill/kernels/gemm.hpp"
#include "kernmill/kernels/math.hpp"

/// Kernel functions k(x, y) of rows, as support vector machines take them.
namespace kernmill::kernels {

enum class KernelType {
  linear,      ///< x . y
  polynomial,  ///< (gamma x . y + coef0)^degree
  rbf,         ///< exp(-gamma |x - y|^2)
};

/// Of x . y, |x|^2 and |y|^2.
struct KernelFunction {
  KernelType type = KernelType::rbf;
  double gamma = 1, coef0 = 0;
  unsigned degree = 3;

  KOKKOS_INLINE_FUNCTION double operator()(double product, double square_x, double square_y) const {
    if (type == KernelType::rbf) return math::exp(-gamma * math::max(square_x + square_y - 2 * product, 0.0));
    if (type == KernelType::linear) return product;
    double base = gamma * product + coef0, power = 1;
    for (unsigned left = degree; left > 0; left /= 2) {
      if (left % 2 == 1) power *= base;
      base *= base;
    }
    return power;
  }
};

/// Rows that a kernel is computed of, with their squared norms. Behind the last there are zeros up to a whole
/// tile.
template <class Space>
struct KernelRows {
  Matrix<Space> rows;
  Vector<Space> squares;
  std::size_t count = 0;
};

/// Kernel matrices are computed in tiles of this shape alone, and a BLAS goes about all places of one shape
/// in the same way: a value has bits that depend on its two rows, not on where they stand nor on what else is
/// computed with them.
inline constexpr std::size_t kernel_tile_rows = 64, kernel_tile_columns = 256;

/// Room for so many rows, with those of a tile.
template <class Space>
KernelRows<Space> make_kernel_rows(std::size_t count, std::size_t features, std::size_t tile) {
  const std::size_t padded = (count + tile - 1) / tile * tile;
  return {make_matrix<Space>(padded, features), make_vector<Space>(padded), count};
}

/// The rows of `source` with these numbers.
template <class Space, class Indices>
void take_rows(const Space& space, ConstMatrix<Space> source, const Indices& numbers,
               const KernelRows<Space>& out) {
  const auto rows = out.rows;
  const auto squares = out.squares;
  const std::size_t columns = rows.extent(1), count = out.count;
  Kokkos::parallel_for(
      "kernmill_take_rows", Range<Space>(space, 0, rows.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        double square = 0;
        for (std::size_t j = 0; j < columns; ++j) {
          const double value = i < count ? source(numbers(i), j) : 0.0;
          rows(i, j) = value;
          square += value * value;
        }
        squares(i) = square;
      });
}

/// out(places(i), j) = k(x_i, y_j). x is padded to kernel_tile_rows, y to kernel_tile_columns. `tile` is
/// scratch of that shape.
template <class Space, class Indices>
void kernel_matrix(const Space& space, const KernelFunction& function, const KernelRows<Space>& x,
                   const KernelRows<Space>& y, const Matrix<Space>& tile, const Indices& places,
                   const Matrix<Space>& out) {
  const auto squares_x = x.squares, squares_y = y.squares;
  for (std::size_t first_y = 0; first_y < y.count; first_y += kernel_tile_columns) {
    const std::size_t columns =
        y.count - first_y < kernel_tile_columns ? y.count - first_y : kernel_tile_columns;
    for (std::size_t first_x = 0; first_x < x.count; first_x += kernel_tile_rows) {
      const std::size_t rows = x.count - first_x < kernel_tile_rows ? x.count - first_x : kernel_tile_rows;
      gemm<Space>(space, Transpose::no, Transpose::yes, 1.0,
                  rows_of<Space>(x.rows, first_x, kernel_tile_rows),
                  rows_of<Space>(y.rows, first_y, kernel_tile_columns), 0.0, tile);
      Kokkos::parallel_for(
          "kernmill_kernel_tile", Range<Space>(space, 0, rows * columns),
          KOKKOS_LAMBDA(const std::size_t index) {
            const std::size_t i = index / columns, j = index % columns;
            out(places(first_x + i), first_y + j) =
                function(tile(i, j), squares_x(first_x + i), squares_y(first_y + j));
          });
    }
  }
}

}  // namespace kernmill::kernels
