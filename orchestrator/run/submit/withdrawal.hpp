#pragma once
#include <functional>
#include <string>
#include <vector>

#include "kernmill/plan/plan.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "kernmill/scheduler/cluster.hpp"

namespace kernmill {

/// Jobs in the queue that are of no use any more as they are: they wait for an instance whose job is gone,
/// and the job that makes it anew is none that they know. Slurm never starts them, or kills them sooner or
/// later.
struct Withdrawal {
  std::vector<std::string> jobs;  ///< as they are named to cancel them: "12", "12_3", "12_[3-5,9]"
  std::vector<ClusterJob> left;   ///< what the cluster knows without them
};

/// `needs_run`: whether an instance has neither finished nor been skipped. Pure.
Withdrawal withdrawal(const RunDirectory& run, const Plan& plan, const RunRecord& record,
                      const std::vector<ClusterJob>& jobs, const std::function<bool(InstanceId)>& needs_run);

}  // namespace kernmill
