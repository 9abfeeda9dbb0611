#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kernmill/run/cluster_check/cluster_findings.hpp"
#include "kernmill/run/cluster_check/slurm_notation.hpp"

// Between the parts of cluster_check; nothing else includes it.

namespace kernmill::cluster_check {

using Node = ClusterFacts::Node;
using Nodes = std::vector<const Node*>;

/// "1 GPU", "2 GPUs of type a100", "3 nics".
std::string text_of(const Counted& wanted);
std::uint64_t count_on(const Node& node, const Counted& wanted);

/// What every node of a job has to have.
struct NodeNeed {
  std::uint64_t cpus = 0, mem = 0;
  std::vector<Counted> gres;  ///< of gpus_per_node, then gpus_per_task, then gres
  [[nodiscard]] bool met_by(const Node& node) const;
  [[nodiscard]] std::string text() const;
};
NodeNeed need_of(const Resources& asked);

/// Where nodes are looked for, and where it is told what they lack.
struct NodeSearch {
  const ClusterFacts& facts;
  const Partitions& partitions;
  Findings& findings;
};
/// Whether for each thing that is needed one of the nodes has enough; tells what is not.
bool check_need(const Resources& asked, const NodeNeed& need, const Nodes& nodes, const NodeSearch& search);

}  // namespace kernmill::cluster_check
