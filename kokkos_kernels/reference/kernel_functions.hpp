#pragma once
#include <cmath>

#include "kernmill/reference/linear_algebra.hpp"

/// Kernel functions, row by row.
namespace kernmill::reference {

inline double dot_of_rows(const Matrix& x, std::size_t i, const Matrix& y, std::size_t j) {
  double sum = 0;
  for (std::size_t k = 0; k < x.columns; ++k) sum += x(i, k) * y(j, k);
  return sum;
}

template <class Of>
Matrix kernel_matrix(const Matrix& x, const Matrix& y, const Of& of) {
  Matrix out(x.rows, y.rows);
  for (std::size_t i = 0; i < x.rows; ++i) {
    for (std::size_t j = 0; j < y.rows; ++j) out(i, j) = of(i, j);
  }
  return out;
}

inline Matrix linear_kernel(const Matrix& x, const Matrix& y) {
  return kernel_matrix(x, y, [&](std::size_t i, std::size_t j) { return dot_of_rows(x, i, y, j); });
}

inline Matrix polynomial_kernel(const Matrix& x, const Matrix& y, double gamma, double coef0,
                                unsigned degree) {
  return kernel_matrix(x, y, [&](std::size_t i, std::size_t j) {
    return std::pow(gamma * dot_of_rows(x, i, y, j) + coef0, degree);
  });
}

inline Matrix rbf_kernel(const Matrix& x, const Matrix& y, double gamma) {
  return kernel_matrix(x, y, [&](std::size_t i, std::size_t j) {
    double distance = 0;
    for (std::size_t k = 0; k < x.columns; ++k) distance += (x(i, k) - y(j, k)) * (x(i, k) - y(j, k));
    return std::exp(-gamma * distance);
  });
}

/// Of each row, and of the s in [begins[c], begins[c + 1]) of each class: their products with each column.
inline Matrix class_sums(const Matrix& values, const Matrix& coefficients,
                         const std::vector<std::size_t>& begins) {
  Matrix sums(values.rows, (begins.size() - 1) * coefficients.columns);
  for (std::size_t i = 0; i < values.rows; ++i) {
    for (std::size_t c = 0; c + 1 < begins.size(); ++c) {
      for (std::size_t m = 0; m < coefficients.columns; ++m) {
        for (std::size_t s = begins[c]; s < begins[c + 1]; ++s)
          sums(i, c * coefficients.columns + m) += values(i, s) * coefficients(s, m);
      }
    }
  }
  return sums;
}

/// Cosines, sines and a 1, of frequencies d x m.
inline Matrix fourier_features(const Matrix& x, const Matrix& frequencies) {
  const Matrix rows = transposed(frequencies);
  Matrix z(x.rows, 2 * rows.rows + 1);
  for (std::size_t i = 0; i < x.rows; ++i) {
    for (std::size_t k = 0; k < rows.rows; ++k) {
      const double product = dot_of_rows(x, i, rows, k), root = std::sqrt(static_cast<double>(rows.rows));
      z(i, k) = std::cos(product) / root;
      z(i, rows.rows + k) = std::sin(product) / root;
    }
    z(i, 2 * rows.rows) = 1;
  }
  return z;
}

}  // namespace kernmill::reference
