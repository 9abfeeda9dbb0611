#pragma once
#include <cstdint>
#include <vector>

#include "kernmill/tasks/models/network/network.hpp"

namespace kernmill::tasks {

/// A few rows for each output, whose squares add up to about its Hessian.
struct RowSample {
  std::vector<kernels::Vector<kernels::Device>> scale;  ///< of each output: what a column is multiplied by
  std::vector<double> step;    ///< of each output: a row is taken wherever the weights add up to a multiple
  std::vector<double> passed;  ///< of each output: what the weights of the rows so far add up to
  std::vector<std::vector<float>> rows;  ///< of each output: those taken, inputs + 1 numbers each
};

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

  /// rows x outputs, in memory of its own until the next call.
  Matrix outputs_of(const Vector& parameters, const Batch& rows);
  /// Adds to `out` as Network::sums does: gradient, losses, rows predicted right. Where `curvature` and
  /// `outputs` (rows x outputs) are there they get what `add_product` needs of these rows, and their outputs.
  void add_sums(const Vector& parameters, const Batch& rows, const Vector& out, const Matrix& curvature,
                const Matrix& outputs);
  /// The losses and the rows predicted right alone.
  void add_losses(const Vector& parameters, const Batch& rows, const Vector& out);
  /// The same where the outputs are `outputs` + lengths(j) * `along`; then, by output, the losses'
  /// derivatives by these lengths. Of the rows' targets alone.
  void add_line(const Matrix& outputs, const Vector& lengths, const Matrix& along, const Batch& rows,
                const Vector& out);
  /// Adds the product of the Hessian of the summed loss and `direction` to `out`; both are as long as the
  /// parameters.
  void add_product(const Vector& direction, const Batch& rows, const Matrix& curvature, const Vector& out);
  /// Adds the Hessian of each output by itself, (inputs + 1)^2 with the bias last, row-major. Of losses that
  /// look at each output alone.
  void add_hessians(const Batch& rows, const Matrix& curvature, const Vector& out);
  /// Puts some of the rows into the sample, as features and a 1 for the bias, scaled, times the root of what
  /// the row's second derivative is: that, or the step where it is greater.
  void sample(const Batch& rows, const Matrix& curvature, RowSample& sample);
  /// How far corners are smoothed from now on.
  void smooth(double smoothing) { loss_.smoothing = smoothing; }
  /// The same of the Hessian's diagonal.
  void add_diagonal(const Batch& rows, const Matrix& curvature, const Vector& out);

 private:
  [[nodiscard]] Matrix with_one(const Batch& rows);
  [[nodiscard]] Matrix second_derivatives(const Batch& rows, const Matrix& curvature);
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
