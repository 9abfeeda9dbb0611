#pragma once
#include <cstddef>
#include <vector>

/// Plain serial versions of the kernels, written to be read: what the kernels are compared with.
/// Matrices are row-major.
namespace kernmill::reference {

struct Matrix {
  std::size_t rows = 0, columns = 0;
  std::vector<double> values;

  Matrix() = default;
  Matrix(std::size_t r, std::size_t c) : rows(r), columns(c), values(r * c, 0.0) {}
  double& operator()(std::size_t i, std::size_t j) { return values[i * columns + j]; }
  double operator()(std::size_t i, std::size_t j) const { return values[i * columns + j]; }
};

inline Matrix transposed(const Matrix& a) {
  Matrix t(a.columns, a.rows);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < a.columns; ++j) t(j, i) = a(i, j);
  }
  return t;
}

/// alpha * a * b + beta * c.
inline Matrix gemm(double alpha, const Matrix& a, const Matrix& b, double beta, const Matrix& c) {
  Matrix out(a.rows, b.columns);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < b.columns; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < a.columns; ++k) sum += a(i, k) * b(k, j);
      out(i, j) = alpha * sum + beta * c(i, j);
    }
  }
  return out;
}

inline std::vector<double> column_sums(const Matrix& a) {
  std::vector<double> sums(a.columns, 0.0);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < a.columns; ++j) sums[j] += a(i, j);
  }
  return sums;
}

}  // namespace kernmill::reference
