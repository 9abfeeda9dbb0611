#pragma once
#include <optional>
#include <vector>

#include "kernmill/tasks/learn/train/objective.hpp"
#include "kernmill/tasks/learn/train/session.hpp"
#include "kernmill/tasks/learn/train/settings.hpp"

namespace kernmill::tasks {

/// How a method ended.
struct Trained {
  std::vector<double> parameters;
  std::uint64_t iterations = 0;  ///< of a full-batch method, else steps
  std::uint64_t epochs = 0;      ///< passes over the rows in mini-batches; 0 of a full-batch method
  std::uint64_t best_epoch = 0;  ///< of early stopping: whose parameters these are; 0 without
  double held_out_loss = 0;      ///< there
  std::optional<std::uint64_t> dependent_columns = {};  ///< of a closed form: columns that follow from others
  std::optional<double> duality_gap = {};  ///< of methods that know it: the objective is no further away
};

/// L-BFGS (Nocedal and Wright, Numerical optimization, algorithms 7.4 and 7.5) with a line search for the
/// weak Wolfe conditions by bisection (Lewis and Overton, 2013), which near the minimum takes Hager and
/// Zhang's approximate condition, so that rounding in the objective does not end it early. Ends when the
/// gradient's norm is `tolerance` times the first one's; when five iterations have gained less than
/// `objective_tolerance` of the objective, and the gradient did not grow over them; after max_iterations; or
/// when no step gets lower.
///
/// A gradient that grows is the sign of a plateau: on raw stock prices twenty iterations gain next to nothing
/// before the objective falls by another hundredth.
Trained minimize_lbfgs(const OptimizerSettings& settings, Objective& objective, std::vector<double> start,
                       Session& session);

/// A fixed number of steps x -= learning_rate * step_weight * gradient.
Trained descend(const OptimizerSettings& settings, double step_weight, Objective& objective,
                std::vector<double> start, Session& session);

}  // namespace kernmill::tasks
