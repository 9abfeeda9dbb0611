#include "kernmill/run/cluster_check/cluster_capacity.hpp"

#include <algorithm>

namespace kernmill {

JobPlanOptions job_plan_options(const Plan& plan, const ClusterFacts& facts) {
  JobPlanOptions options;
  if (facts.max_array_size > 0) options.max_array_size = facts.max_array_size;
  std::vector<std::string> names;
  for (const auto& partition : facts.partitions) {
    const bool used =
        std::any_of(plan.workflow().stages.begin(), plan.workflow().stages.end(), [&](const Stage& s) {
          const std::string wanted = s.resources.value("partition", "");
          return s.pack != 1 && (wanted == partition.name || (wanted.empty() && partition.is_default));
        });
    if (!used) continue;
    names.insert(names.end(), partition.nodes.begin(), partition.nodes.end());
    if (partition.max_time.count() > 0 &&
        (options.max_time.count() == 0 || partition.max_time < options.max_time))
      options.max_time = partition.max_time;
  }
  for (const auto& node : facts.nodes) {
    if (node.is_down || std::find(names.begin(), names.end(), node.name) == names.end()) continue;
    ++options.nodes;
    options.node_cpus = options.node_cpus == 0 ? node.cpus : std::min(options.node_cpus, node.cpus);
    options.node_mem = options.node_mem == 0 ? node.mem : std::min(options.node_mem, node.mem);
  }
  return options;
}

}  // namespace kernmill
