#pragma once
#include <vector>

#include "kernmill/tasks/learn/train/full_batch.hpp"

namespace kernmill::tasks {

/// Newton's method for a linear model: directions by conjugate gradients, which need products with the
/// Hessian only and end early (Lin, Weng and Keerthi, Trust region Newton method for large-scale logistic
/// regression, JMLR 9, 2008), preconditioned by its diagonal, and by a sample of it (sampled_hessian.hpp)
/// once products have taken the time of one, and a line search instead of a trust region (Hsia, Zhu and Lin,
/// A study on trust region update rules in Newton methods for large-scale linear classification, ACML 2017;
/// Keerthi and DeCoste, JMLR 6, 2005): where the loss is a square in pieces the region collapses.
///
/// Where the objective is a sum of independent ones, such as those of classes against the rest, each has its
/// own conjugate gradients and step length, and they share the passes over the rows: a pass is about as long
/// for ten as for one.
///
/// Ends, for each of them, when its gradient's norm is `tolerance` times the first one's, or when a full step
/// promises less than `objective_tolerance` of its value, and is taken: a residual of a tenth leaves about a
/// hundredth of that; after max_iterations; or when rounding hides any lower point.
Trained minimize_newton(const OptimizerSettings& settings, Objective& objective, std::vector<double> start,
                        Session& session);

}  // namespace kernmill::tasks
