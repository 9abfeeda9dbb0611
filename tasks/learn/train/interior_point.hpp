#pragma once
#include "kernmill/tasks/learn/train/full_batch.hpp"

namespace kernmill::tasks {

/// For linear models whose loss has corners (hinge, epsilon-insensitive): follows the central path of the
/// quadratic program that they are, the slacks of which are taken out row by row (kernels/corner_loss.hpp),
/// so that its state is the weights and one number. Newton's steps have the Hessian itself, (features + 1)^2
/// for each output, from sums over all rows (Ferris and Munson, Interior-point methods for massive support
/// vector machines, SIAM J. Optim. 13, 2003). Ends when the gap that the path leaves is no more than
/// `objective_tolerance` of the objective, or after max_iterations.
Trained follow_central_path(const OptimizerSettings& settings, Objective& objective,
                            std::vector<double> start, Session& session);

}  // namespace kernmill::tasks
