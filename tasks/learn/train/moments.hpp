#pragma once
#include <vector>

#include "kernmill/tasks/learn/train/row_pieces.hpp"
#include "kernmill/tasks/learn/train/session.hpp"

namespace kernmill::tasks {

/// The first and second moments of features and numeric targets, side by side: features, then targets. A row
/// counts by its weight.
struct Moments {
  double rows = 0;  ///< their weights together
  std::size_t features = 0, targets = 0;
  std::vector<double> mean;
  /// The sums of products of deviations from the mean, (features + targets)^2, row-major.
  std::vector<double> products;

  [[nodiscard]] std::size_t width() const { return features + targets; }
  [[nodiscard]] double product(std::size_t i, std::size_t j) const { return products[i * width() + j]; }
};

/// Collective. Goes over the rows twice, since a mean that is taken out first leaves the products their
/// digits. The same bits on any number of ranks.
Moments moments_of(Session& session, const Rows& rows, const RowPlan& plan);

}  // namespace kernmill::tasks
