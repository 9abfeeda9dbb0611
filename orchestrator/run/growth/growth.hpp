#pragma once
#include <optional>

#include "kernmill/plan/decisions.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/instance_result.hpp"

namespace kernmill {

/// Decides the stages that what has been committed decides (ADR 0017). The grown plan is durable when this
/// returns, and decides from then on. Nothing comes back, and nothing was written, when there is none.
/// Whoever calls this is the run's conductor.
std::optional<Growth> grow_run(const RunDirectory& run, const Plan& plan, const ResultOf& result_of);

}  // namespace kernmill
