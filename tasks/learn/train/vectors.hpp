#pragma once
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

/// What full-batch methods do with their vectors: in order, so that the bits are the same everywhere.
namespace kernmill::tasks {

inline double dot(const std::vector<double>& x, const std::vector<double>& y) {
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
}

/// y += factor * x
inline void add_scaled(double factor, const std::vector<double>& x, std::vector<double>& y) {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += factor * x[i];
}

inline double norm(const std::vector<double>& x) {
  return std::sqrt(dot(x, x));
}

/// Of each block: entry i belongs to block i % blocks.
inline std::vector<double> dot(const std::vector<double>& x, const std::vector<double>& y,
                               std::size_t blocks) {
  std::vector<double> sums(blocks, 0.0);
  for (std::size_t i = 0; i < x.size(); ++i) sums[i % blocks] += x[i] * y[i];
  return sums;
}

/// y += factor of the block * x
inline void add_scaled(const std::vector<double>& factors, const std::vector<double>& x,
                       std::vector<double>& y) {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += factors[i % factors.size()] * x[i];
}

}  // namespace kernmill::tasks
