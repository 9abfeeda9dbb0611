#pragma once
#include <string>

#include "kernmill/scheduler/cluster.hpp"
#include "kernmill/slurm/library/compat.hpp"

/// Slurm's records become ours.
namespace kernmill::slurm {

/// A text of Slurm's, which may be null.
std::string or_empty(const char* text);

ClusterJob translate(const slurm_job_info_t& job);
ClusterFacts::Partition translate(const partition_info_t& partition);
ClusterFacts::Node translate(const node_info_t& node);

}  // namespace kernmill::slurm
