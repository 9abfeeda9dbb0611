#pragma once
#include <cstdint>
#include <vector>

#include "kernmill/tasks/models/network/network.hpp"

namespace kernmill::tasks {

/// A pass over rows with a linear model: losses, gradients, and products with the Hessian. The parameters are
/// those of a network without hidden layers, weights (inputs x outputs), then the bias.
class LinearPass {
 public:
  using Vector = Network::Vector;
  using Matrix = Network::Matrix;

  explicit LinearPass(const NetworkShape& shape);

  /// How many rows to give at a time: a power of two, Network::chunk_rows at most. So few that they are still
  /// in the cache when the gradient wants them again, and that BLAS takes its way for small products: for ten
  /// outputs of 784 features this is three times as fast as chunks of 4096 rows.
  [[nodiscard]] std::size_t rows_together() const { return rows_together_; }

  /// From now on a row's loss counts as often as its class says.
  void weigh_classes(const std::vector<double>& weights);

  /// Adds to `out` as Network::sums does: gradient, losses, rows predicted right. Where `curvature` (rows x
  /// outputs) is there it gets what `add_product` needs of these rows.
  void add_sums(const Vector& parameters, const Batch& rows, const Vector& out, const Matrix& curvature);
  /// The losses and the rows predicted right alone.
  void add_losses(const Vector& parameters, const Batch& rows, const Vector& out);
  /// Adds the product of the Hessian of the summed loss and `direction` to `out`; both are as long as the
  /// parameters.
  void add_product(const Vector& direction, const Batch& rows, const Matrix& curvature, const Vector& out);
  /// Adds the Hessian of each output by itself, (inputs + 1)^2 with the bias last, row-major. Of losses that
  /// look at each output alone.
  void add_hessians(const Batch& rows, const Matrix& curvature, const Vector& out);
  /// How far corners are smoothed from now on.
  void smooth(double smoothing) { loss_.smoothing = smoothing; }
  /// The same of the Hessian's diagonal.
  void add_diagonal(const Batch& rows, const Matrix& curvature, const Vector& out);

 private:
  Matrix outputs_of(const Vector& parameters, const Batch& rows);
  void add_losses_of(const Batch& rows, const Matrix& z, const Matrix& terms, const Vector& out);
  [[nodiscard]] bool are_weighted(const Batch& rows) const {
    return class_weights_.extent(0) > 0 || rows.weights.extent(0) > 0;
  }
  void weigh(const Batch& rows, const Matrix& u) const;
  void add_transposed(const Batch& rows, const Matrix& delta, const Vector& out, bool squared = false);

  std::size_t inputs_, outputs_, parts_, rows_together_;
  Loss loss_;
  Matrix z_, terms_, squares_, with_one_, weighed_;
  Vector bias_sums_, term_sums_;
  Vector class_weights_;  ///< empty: each row counts once
};

}  // namespace kernmill::tasks
