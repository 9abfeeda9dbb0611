#pragma once
#include "kernmill/plan/plan.hpp"
#include "kernmill/scheduler/cluster.hpp"
#include "kernmill/workflow/text/diagnostic.hpp"

namespace kernmill {

/// What of a plan a cluster would refuse, or let wait for ever, each with the place in the workflow where it
/// was asked for and what would be allowed. A warning is what the cluster accepts and the user may not mean.
/// Pure.
void check_against(const Plan& plan, const ClusterFacts& facts, Diagnostics& diagnostics);

/// Whether there is nothing to be said against what a job asks for that is not to be said against `before`,
/// too: an error, or that nodes which would do are down.
bool could_run_as_well(const Resources& asked, const Resources& before, const Stage& stage,
                       const ClusterFacts& facts);

}  // namespace kernmill
