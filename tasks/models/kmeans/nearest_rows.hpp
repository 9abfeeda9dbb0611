#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "kernmill/kernels/clusters.hpp"

namespace kernmill::tasks {

/// The nearest of fixed centers for rows that come chunk by chunk.
class NearestRows {
 public:
  /// centers: count x features, as the rows are (nothing taken off).
  NearestRows(std::span<const double> centers, std::size_t features);

  /// What is found lasts until the next call.
  void find(const kernels::Matrix<kernels::Device>& rows);
  [[nodiscard]] std::span<const int> labels() const { return labels_; }
  /// The squared distance to that center.
  [[nodiscard]] std::span<const double> squared() const { return squared_; }
  /// About the distance to the nearest other one; infinite where there is none.
  [[nodiscard]] std::span<const double> other() const { return other_; }

 private:
  kernels::Centers<kernels::Device> centers_;
  kernels::Vector<kernels::Device> half_gaps_;
  kernels::Labels<kernels::Device> changed_;
  std::vector<int> labels_;
  std::vector<double> squared_, other_;
};

}  // namespace kernmill::tasks
