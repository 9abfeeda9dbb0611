#pragma once
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "kernmill/tasks/learn/rows/leaf_sum.hpp"
#include "kernmill/tasks/learn/train/row_pieces.hpp"
#include "kernmill/tasks/learn/train/session.hpp"
#include "kernmill/tasks/models/network/criterion.hpp"
#include "kernmill/tasks/models/network/linear_pass.hpp"

namespace kernmill::tasks {

/// A criterion over all rows, at one point.
struct Evaluation {
  double value = 0;
  std::vector<double> gradient;
  std::vector<double> loss;  ///< the summed loss by part, without weight and penalty
  double right = 0;          ///< rows predicted right, of a class target
};

/// Of each block of an objective, somewhere on a line: its value, and its derivative along the line.
struct LinePoint {
  std::vector<double> values, slopes;
};

/// The criterion at parameters, by what the losses of all rows add up to: each part, and the rows predicted
/// right. Without the gradient.
Evaluation evaluation_of(const Criterion& criterion, const Network& network,
                         const std::vector<double>& parameters, std::span<const double> losses);

/// The criterion of a model over all rows of a dataset. The rows are cut into shards, and these into chunks:
/// each rank goes over those of its shards. Values, gradients and products have the same bits on any number
/// of ranks, and wherever the rows are kept.
class Objective {
 public:
  /// Keeps this rank's rows in memory where they fit, else reads them at each call. `network` and `session`
  /// have to outlive it, and `rows` has to.
  Objective(Session& session, const Rows& rows, Network& network, const Criterion& criterion,
            const RowPlan& plan);
  /// Collective.
  Evaluation operator()(const std::vector<double>& parameters) { return evaluate(parameters, false); }
  /// The same, and what `product` needs of this point: one number a row and output. Of a linear model.
  Evaluation with_curvature(const std::vector<double>& parameters) { return evaluate(parameters, true); }
  /// The same, but for the gradient. Collective.
  Evaluation without_gradient(const std::vector<double>& parameters);
  /// A line begins at the last point `with_curvature`, x. Collective.
  void begin_line(const std::vector<double>& x, const std::vector<double>& direction);
  /// So far along the line, each block by itself: costs next to nothing beside a pass over the features.
  /// Collective.
  LinePoint on_line(const std::vector<double>& lengths);
  /// The Hessian of the last point `with_curvature`, times this. Collective.
  std::vector<double> product(const std::vector<double>& direction);
  /// Its diagonal. Collective.
  std::vector<double> diagonal();
  /// The Hessian of each block of the last point `with_curvature`, (features + 1)^2 with the bias last, one
  /// after the other. Of losses that look at each output alone. Collective.
  std::vector<double> hessians();
  /// For each output some rows of this rank, `count` on all ranks together: the sum of their squares, with a
  /// 1 for the bias, is about the Hessian by that output alone of the last point `with_curvature`, without
  /// the penalty. Each column is multiplied by its entry of `scale`, one a parameter. Of a point whose
  /// `diagonal` was asked for. Collective.
  std::vector<std::vector<float>> sample(std::size_t count, const std::vector<double>& scale);
  /// What the criterion's penalty adds to each entry of the Hessian's diagonal.
  [[nodiscard]] std::vector<double> penalties() const;
  /// How many outputs the model has.
  [[nodiscard]] std::size_t outputs() const { return network_.outputs(); }
  /// How far corners of the loss are smoothed from now on; 0: not at all.
  void smooth(double smoothing) { linear_->smooth(smoothing); }
  /// What the loss of all rows weighs, were it as much as the row for each row and output.
  [[nodiscard]] double weight_of_all() const {
    return criterion_.weight * plan_.weight * static_cast<double>(network_.outputs());
  }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  /// Of how many independent objectives it is the sum: the outputs of a linear model, where the loss looks at
  /// each alone. Parameter i is of objective i % blocks().
  [[nodiscard]] std::size_t blocks() const { return network_.loss_parts(); }
  /// The value of each.
  [[nodiscard]] std::vector<double> values_of_blocks(const Evaluation& at,
                                                     const std::vector<double>& parameters) const;
  /// What the ranks wanted of the session when it was last called.
  [[nodiscard]] unsigned wishes() const { return wishes_; }

 private:
  using Vector = Network::Vector;
  using Sum = LeafSum<kernels::Device>;

  Evaluation evaluate(const std::vector<double>& parameters, bool curvature);
  void read_pieces();
  /// Reads the rows of other shards where ranks are to have others.
  void adapt_shares();
  /// Sums over all rows what `add` adds to its last argument for a piece.
  template <class Add>
  std::span<const double> total(Sum& sum, const Add& add);
  template <class Work>
  std::span<const double> sum_shards(Sum& sum, const Work& work);
  [[nodiscard]] storage::IndexRange own_shards() const {
    return balance_.shares()[static_cast<std::size_t>(session_.comm().rank())];
  }

  Session& session_;
  const Rows& data_;
  Network& network_;
  std::optional<LinearPass> linear_;  ///< of a linear model, in place of the network
  Criterion criterion_;
  RowPlan plan_;
  std::uint64_t rows_;
  RowBalance balance_;
  Sum sum_, product_sum_;
  std::optional<RowPieces> pieces_;      ///< always there, but while others are read
  Network::Matrix curvature_, outputs_;  ///< own rows x outputs, once they were wanted
  Network::Matrix along_;                ///< by how much a line's direction changes these outputs
  std::vector<double> line_start_, line_direction_;
  std::vector<double> row_weights_;  ///< by output, the sum of the second derivatives of the rows' losses
  unsigned wishes_ = 0;
};

}  // namespace kernmill::tasks
