#pragma once
#include "kernmill/tasks/learn/train/full_batch.hpp"
#include "kernmill/tasks/learn/train/moments.hpp"

namespace kernmill::tasks {

/// What linear_regression minimises: the mean over rows and targets of the squared error, plus l2 ||W||^2 +
/// l1 |W|_1; the biases are part of W where they are regularised.
struct LeastSquares {
  double l1 = 0, l2 = 0;
  bool penalize_bias = false;
};

/// By the normal equations and Cholesky's factorisation, where l1 is 0. Where columns depend on each other,
/// and no l2 tells them apart, it is the shortest of all solutions, and stderr says which columns.
Trained solve_least_squares(const LeastSquares& problem, const Moments& moments,
                            const std::vector<std::string>& features, const Session& session);

/// Coordinate descent on the moments (Friedman, Hastie and Tibshirani, Regularization paths for generalized
/// linear models via coordinate descent, 2010) until the duality gap is no more than `objective_tolerance` of
/// the objective, or after max_iterations sweeps.
Trained descend_coordinates(const OptimizerSettings& settings, const LeastSquares& problem,
                            const Moments& moments, Session& session);

}  // namespace kernmill::tasks
