#pragma once
#include <vector>

#include "kernmill/kernels/types.hpp"
#include "kernmill/storage/model/model.hpp"

namespace kernmill::tasks {

/// A trained PCA: rows of features to their components and back. Chunk by chunk, in memory of its own.
class Projection {
 public:
  using Matrix = kernels::Matrix<kernels::Device>;

  /// Throws TaskError where the file's parameters do not fit its settings and its schema.
  explicit Projection(const storage::Model& model);

  [[nodiscard]] std::size_t features() const { return features_; }
  [[nodiscard]] std::size_t components() const { return scales_.size(); }
  /// What is left of the rows less the mean when their components are taken off, and the rows less the mean,
  /// squared and summed by row.
  struct Residual {
    double left = 0, all = 0;
  };
  /// The components of each row, not whitened. Valid until the next call.
  Matrix project(const Matrix& rows);
  /// Of the rows that were projected last.
  std::vector<Residual> residuals();
  /// What a component is multiplied by: 1, or what makes its variance 1.
  [[nodiscard]] const std::vector<double>& scales() const { return scales_; }

 private:
  std::size_t features_;
  std::vector<double> scales_;
  kernels::Vector<kernels::Device> mean_;
  Matrix components_;  ///< components x features
  Matrix centered_, scores_, restored_;
};

}  // namespace kernmill::tasks
