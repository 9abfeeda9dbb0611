#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

#include "kernmill/reference/linear_algebra.hpp"

namespace kernmill::reference {

/// f(z + bias): f is relu, tanh, or nothing.
enum class Activation { identity, relu, tanh };

inline double activate(Activation f, double x) {
  if (f == Activation::relu) return x > 0 ? x : 0.0;
  return f == Activation::tanh ? std::tanh(x) : x;
}

inline Matrix add_bias_and_activate(Activation f, const std::vector<double>& bias, Matrix z) {
  for (std::size_t i = 0; i < z.rows; ++i) {
    for (std::size_t j = 0; j < z.columns; ++j) z(i, j) = activate(f, z(i, j) + bias[j]);
  }
  return z;
}

inline void momentum_update(double rate, double momentum, const std::vector<double>& gradient,
                            std::vector<double>& velocity, std::vector<double>& weights) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    velocity[i] = momentum * velocity[i] + gradient[i];
    weights[i] -= rate * velocity[i];
  }
}

/// Step t (from 1) of Adam with its usual constants 0.9, 0.999, 1e-8.
inline void adam_update(double rate, int t, const std::vector<double>& gradient, std::vector<double>& mean,
                        std::vector<double>& square, std::vector<double>& weights) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    mean[i] = 0.9 * mean[i] + 0.1 * gradient[i];
    square[i] = 0.999 * square[i] + 0.001 * gradient[i] * gradient[i];
    const double first = mean[i] / (1 - std::pow(0.9, t)), second = square[i] / (1 - std::pow(0.999, t));
    weights[i] -= rate * first / (std::sqrt(second) + 1e-8);
  }
}

/// The sum of vectors along the binary tree over them: halves first. Their number is a power of two.
inline std::vector<double> tree_sum(const std::vector<std::vector<double>>& leaves) {
  if (leaves.size() == 1) return leaves.front();
  const auto middle = leaves.begin() + static_cast<std::ptrdiff_t>(leaves.size() / 2);
  std::vector<double> sum = tree_sum({leaves.begin(), middle});
  const std::vector<double> right = tree_sum({middle, leaves.end()});
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += right[i];
  return sum;
}

}  // namespace kernmill::reference
