#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/plan/job_plan.hpp"
#include "kernmill/scheduler/cluster.hpp"

namespace kernmill {

/// What a stage may cost, and when it might begin. Estimates: a stage may end early, fail, or be retried, and
/// a queue changes.
struct StageEstimate {
  std::uint64_t instances = 0;
  /// At most: every instance takes its whole time limit. Nothing where an instance has no time limit.
  std::optional<double> core_hours;
  /// When its first job would start if it were submitted now; of stages that wait for no other.
  std::optional<std::chrono::system_clock::time_point> start;
  std::string no_start;  ///< why there is none where it was asked for: the cluster's reason, or ""
};

/// The job of an array, as it would be submitted.
using MakeJob = std::function<BatchJob(const ArrayPlan& array)>;

/// By stage; `jobs` are those of the plan. Where a stage asks for no time limit, that of the partition
/// counts. Asks the cluster once for each stage that waits for no other.
std::vector<StageEstimate> estimate(const Plan& plan, const std::vector<ArrayPlan>& jobs,
                                    const ClusterFacts& facts, Cluster& cluster, const MakeJob& make_job);

/// The sum of all stages; nothing where one of them has no bound.
std::optional<double> total_core_hours(const std::vector<StageEstimate>& stages);

}  // namespace kernmill
