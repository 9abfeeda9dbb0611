#pragma once
#include <cstddef>
#include <limits>
#include <vector>

#include "kernmill/reference/linear_algebra.hpp"

namespace kernmill::reference {

/// The nearest center of a row, of two at the same distance the lower one, and how far it and the next are,
/// squared.
struct NearestCenter {
  int which = 0;
  double first = std::numeric_limits<double>::infinity(), second = first;
};

inline NearestCenter nearest_center(const Matrix& rows, std::size_t i, const Matrix& centers) {
  NearestCenter nearest;
  for (std::size_t c = 0; c < centers.rows; ++c) {
    double squared = 0;
    for (std::size_t j = 0; j < rows.columns; ++j)
      squared += (rows(i, j) - centers(c, j)) * (rows(i, j) - centers(c, j));
    if (squared < nearest.first) {
      nearest.second = nearest.first;
      nearest.first = squared;
      nearest.which = static_cast<int>(c);
    } else if (squared < nearest.second) {
      nearest.second = squared;
    }
  }
  return nearest;
}

/// Sums of the rows of each center, and their numbers behind them.
inline std::vector<double> cluster_sums(const Matrix& rows, const std::vector<int>& labels,
                                        std::size_t centers) {
  std::vector<double> sums(centers * (rows.columns + 1), 0.0);
  for (std::size_t i = 0; i < rows.rows; ++i) {
    const auto c = static_cast<std::size_t>(labels[i]);
    for (std::size_t j = 0; j < rows.columns; ++j) sums[c * rows.columns + j] += rows(i, j);
    sums[centers * rows.columns + c] += 1;
  }
  return sums;
}

}  // namespace kernmill::reference
