#pragma once
#include "kernmill/tasks/support/json.hpp"

namespace kernmill::tasks {

/// Settings that several networks have. Absent ones are of models that were made before they were.

/// The share of the hidden units that a step does without. Throws SpecError unless it is in [0, 1).
double dropout_of(const Json& model);

/// NetworkShape::huber_delta: `delta` where `loss` is huber. Throws SpecError unless that is positive.
double huber_delta_of(const Json& model);

}  // namespace kernmill::tasks
