#include "kernmill/run/submit/estimate.hpp"

#include <algorithm>

#include "kernmill/plan/resource_sets.hpp"

namespace kernmill {
namespace {

using std::chrono::seconds;

/// What the partition gives a job that asks for no time; 0: no limit.
seconds given_time(const Resources& resources, const ClusterFacts& facts) {
  const auto chosen =
      std::find_if(facts.partitions.begin(), facts.partitions.end(), [&](const auto& partition) {
        return resources.partition.empty() ? partition.is_default : partition.name == resources.partition;
      });
  if (chosen == facts.partitions.end()) return seconds(0);
  return chosen->default_time.count() > 0 ? chosen->default_time : chosen->max_time;
}

StageEstimate cost(const Plan& plan, std::uint32_t stage, const ClusterFacts& facts) {
  StageEstimate estimate{.instances = 0, .core_hours = 0.0, .start = {}, .no_start = {}};
  for (const ResourceSet& set : resource_sets(plan, stage)) {
    estimate.instances += set.instances;
    const Resources& asked = set.resources;
    const seconds time = asked.time.count() > 0 ? asked.time : given_time(asked, facts);
    if (time.count() == 0) {
      estimate.core_hours.reset();
      continue;
    }
    const double hours = std::chrono::duration<double, std::ratio<3600>>(time).count();
    if (estimate.core_hours)
      *estimate.core_hours += static_cast<double>(set.instances) * asked.cores() * hours;
  }
  return estimate;
}

}  // namespace

std::vector<StageEstimate> estimate(const Plan& plan, const std::vector<ArrayPlan>& jobs,
                                    const ClusterFacts& facts, Cluster& cluster, const MakeJob& make_job) {
  std::vector<StageEstimate> estimates;
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage)
    estimates.push_back(cost(plan, stage, facts));
  for (const ArrayPlan& array : jobs) {
    StageEstimate& of_stage = estimates[array.stage];
    if (!array.waits.empty() || of_stage.start || !of_stage.no_start.empty()) continue;
    try {
      of_stage.start = cluster.expected_start(make_job(array));
      if (!of_stage.start) of_stage.no_start = "the cluster does not say";
    } catch (const ClusterError& error) {
      of_stage.no_start = error.what();
    }
  }
  return estimates;
}

std::optional<double> total_core_hours(const std::vector<StageEstimate>& stages) {
  double total = 0;
  for (const StageEstimate& stage : stages) {
    if (!stage.core_hours) return {};
    total += *stage.core_hours;
  }
  return total;
}

}  // namespace kernmill
