#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

#include "kernmill/kernels/random.hpp"
#include "kernmill/reference/linear_algebra.hpp"

namespace kernmill::reference {

inline double normal_below(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

inline Matrix gelu(const Matrix& z) {
  Matrix out = z;
  for (double& x : out.values) x *= normal_below(x);
  return out;
}

inline Matrix backward_gelu(const Matrix& z, const Matrix& delta) {
  Matrix out = delta;
  for (std::size_t i = 0; i < z.values.size(); ++i) {
    const double x = z.values[i], density = std::exp(-0.5 * x * x) / std::sqrt(2.0 * std::acos(-1.0));
    out.values[i] *= normal_below(x) + x * density;
  }
  return out;
}

inline Matrix layer_norm(const Matrix& x, const std::vector<double>& gain, const std::vector<double>& shift) {
  Matrix y = x;
  const auto columns = static_cast<double>(x.columns);
  for (std::size_t i = 0; i < x.rows; ++i) {
    double mean = 0, variance = 0;
    for (std::size_t j = 0; j < x.columns; ++j) mean += x(i, j) / columns;
    for (std::size_t j = 0; j < x.columns; ++j) variance += (x(i, j) - mean) * (x(i, j) - mean) / columns;
    for (std::size_t j = 0; j < x.columns; ++j)
      y(i, j) = gain[j] * (x(i, j) - mean) / std::sqrt(variance + 1e-5) + shift[j];
  }
  return y;
}

inline Matrix drop(const Matrix& x, double p, std::uint64_t key, std::uint64_t step,
                   std::uint64_t first_row) {
  Matrix out = x;
  for (std::size_t i = 0; i < x.rows; ++i)
    for (std::size_t j = 0; j < x.columns; ++j) {
      const auto word = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
      const auto drawn =
          kernels::philox({{word(j / 4), word(first_row + i), word(step), word(step >> 32U)}}, key);
      out(i, j) = drawn.word[j % 4] < p * 0x1p32 ? 0.0 : x(i, j) / (1.0 - p);
    }
  return out;
}

inline double sigmoid(double x) {
  return 1.0 / (1.0 + std::exp(-x));
}

/// The last states of cells of which `gates` has the inputs' shares (a row a step of a sequence), and
/// `recurrent` what the state gives at each step.
inline Matrix lstm(const Matrix& gates, const std::vector<Matrix>& recurrent) {
  const std::size_t n = recurrent[0].rows, h = gates.columns / 4;
  Matrix state(n, h), cell(n, h);
  for (std::size_t t = 0; t < recurrent.size(); ++t)
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < h; ++j) {
        const auto z = [&](std::size_t gate) {
          return gates(i * recurrent.size() + t, gate * h + j) + recurrent[t](i, gate * h + j);
        };
        cell(i, j) = sigmoid(z(1)) * cell(i, j) + sigmoid(z(0)) * std::tanh(z(2));
        state(i, j) = sigmoid(z(3)) * std::tanh(cell(i, j));
      }
  return state;
}

inline Matrix gru(const Matrix& gates, const std::vector<Matrix>& recurrent) {
  const std::size_t n = recurrent[0].rows, h = gates.columns / 3;
  Matrix state(n, h);
  for (std::size_t t = 0; t < recurrent.size(); ++t)
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < h; ++j) {
        const std::size_t row = i * recurrent.size() + t;
        const double reset = sigmoid(gates(row, j) + recurrent[t](i, j));
        const double update = sigmoid(gates(row, h + j) + recurrent[t](i, h + j));
        const double fresh = std::tanh(gates(row, 2 * h + j) + reset * recurrent[t](i, 2 * h + j));
        state(i, j) = (1.0 - update) * fresh + update * state(i, j);
      }
  return state;
}

}  // namespace kernmill::reference
