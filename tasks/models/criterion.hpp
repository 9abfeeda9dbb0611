#pragma once
#include <cstdint>
#include <span>

#include "kernmill/storage/dataset/schema.hpp"
#include "kernmill/tasks/learn/train/settings.hpp"
#include "kernmill/tasks/models/network.hpp"

namespace kernmill::tasks {

/// What a model minimises: weight * (summed loss of the rows) + penalty / 2 * ||W||^2 (the biases are part of
/// W where they are regularised). softmax and linear_svm sum over the rows, linear_regression and mlp take
/// the mean.
struct Criterion {
  double weight = 1, penalty = 0;
  bool penalize_bias = false;
  /// What a step of a first-order method follows is this times the gradient: the mean over the rows for every
  /// model, so that a learning rate means the same whatever the number of rows.
  double step_weight = 1;

  static Criterion of(const ModelSettings& model, std::uint64_t rows, std::uint64_t targets);

  /// penalty / 2 * ||W_j||^2 of each output j of a linear model, or the whole in one number.
  [[nodiscard]] double penalty_of(const Network& network, std::span<const double> parameters) const;
  [[nodiscard]] double penalty_of_output(const Network& network, std::span<const double> parameters,
                                         std::uint64_t output) const;
  void add_penalty_gradient(const Network& network, std::span<const double> parameters,
                            std::span<double> gradient) const;
};

/// The network that a model is, for data of this schema. Throws TaskError where the two do not fit.
Network make_network(const ModelSettings& model, const storage::Schema& schema);

/// Where training starts: Glorot's weights for an mlp, `init` or zeros for a linear model.
std::vector<double> initial_parameters(const ModelSettings& model, const Network& network,
                                       std::uint64_t seed);

}  // namespace kernmill::tasks
