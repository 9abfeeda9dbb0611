#pragma once
#include <algorithm>
#include <cmath>

#include "kernmill/reference/linear_algebra.hpp"

namespace kernmill::reference {

/// The loss of each row by part with, last, whether it was predicted right; and the gradient by the outputs.
struct LossResult {
  Matrix terms, gradient;
};

inline double is_right(const Matrix& z, std::size_t row, int label) {
  const double* outputs = z.values.data() + row * z.columns;
  return std::max_element(outputs, outputs + z.columns) - outputs == label ? 1.0 : 0.0;
}

inline Matrix softmax(const Matrix& z) {
  Matrix p = z;
  for (std::size_t i = 0; i < z.rows; ++i) {
    double top = z(i, 0), sum = 0;
    for (std::size_t j = 0; j < z.columns; ++j) top = std::max(top, z(i, j));
    for (std::size_t j = 0; j < z.columns; ++j) sum += p(i, j) = std::exp(z(i, j) - top);
    for (std::size_t j = 0; j < z.columns; ++j) p(i, j) /= sum;
  }
  return p;
}

inline LossResult cross_entropy(const std::vector<int>& labels, const Matrix& z) {
  LossResult result{Matrix(z.rows, 2), softmax(z)};
  for (std::size_t i = 0; i < z.rows; ++i) {
    const auto label = static_cast<std::size_t>(labels[i]);
    result.terms(i, 0) = -std::log(result.gradient(i, label));
    result.terms(i, 1) = is_right(z, i, labels[i]);
    result.gradient(i, label) -= 1.0;
  }
  return result;
}

inline LossResult squared_hinge(const std::vector<int>& labels, const Matrix& z) {
  LossResult result{Matrix(z.rows, z.columns + 1), Matrix(z.rows, z.columns)};
  for (std::size_t i = 0; i < z.rows; ++i) {
    for (std::size_t j = 0; j < z.columns; ++j) {
      const double y = static_cast<int>(j) == labels[i] ? 1.0 : -1.0;
      const double margin = std::max(0.0, 1.0 - y * z(i, j));
      result.terms(i, j) = margin * margin;
      result.gradient(i, j) = -2.0 * y * margin;
    }
    result.terms(i, z.columns) = is_right(z, i, labels[i]);
  }
  return result;
}

inline LossResult squared_error(const Matrix& target, const Matrix& z) {
  LossResult result{Matrix(z.rows, z.columns + 1), Matrix(z.rows, z.columns)};
  for (std::size_t i = 0; i < z.rows; ++i) {
    for (std::size_t j = 0; j < z.columns; ++j) {
      const double error = z(i, j) - target(i, j);
      result.terms(i, j) = error * error;
      result.gradient(i, j) = 2.0 * error;
    }
  }
  return result;
}

inline LossResult huber(double delta, const Matrix& target, const Matrix& z) {
  LossResult result = squared_error(target, z);
  for (std::size_t i = 0; i < z.rows; ++i) {
    for (std::size_t j = 0; j < z.columns; ++j) {
      const double error = z(i, j) - target(i, j);
      if (std::abs(error) <= delta) continue;
      result.terms(i, j) = 2.0 * delta * std::abs(error) - delta * delta;
      result.gradient(i, j) = std::copysign(2.0 * delta, error);
    }
  }
  return result;
}

}  // namespace kernmill::reference
