#pragma once
#include "kernmill/plan/job_plan.hpp"
#include "kernmill/scheduler/cluster.hpp"

namespace kernmill {

/// What plan_jobs has to know of a cluster.
JobPlanOptions job_plan_options(const Plan& plan, const ClusterFacts& facts);

}  // namespace kernmill
