#pragma once
#include <optional>

#include "kernmill/tasks/models/network/loss.hpp"
#include "kernmill/tasks/support/json.hpp"

namespace kernmill::tasks {

/// Settings that several networks have. Absent ones are of models that were made before they were.

/// The share of the hidden units that a step does without. Throws SpecError unless it is in [0, 1).
double dropout_of(const Json& model);

/// `delta` where `loss` is huber, else 0. Throws SpecError unless that is positive.
double huber_delta_of(const Json& model);

/// The squared error that is linear from such an error on; none: the kind's own loss.
inline std::optional<Loss> loss_of_numbers(double huber_delta) {
  return huber_delta > 0 ? std::optional(Loss(Loss::squared_error, huber_delta)) : std::nullopt;
}

}  // namespace kernmill::tasks
