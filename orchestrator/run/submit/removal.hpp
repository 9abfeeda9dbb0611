#pragma once
#include <functional>
#include <string>

#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "kernmill/scheduler/cluster.hpp"

namespace kernmill {

/// Opens the cluster, or gives the one that is open. Throws ClusterError.
using OpenedCluster = std::function<Cluster&()>;

/// Why a run must not be removed now: somebody conducts it, jobs of it are on the cluster, or the cluster
/// does not say whether they are; empty: it may go. The cluster is asked only about runs that were submitted.
std::string why_it_stays(const RunDirectory& run, const OpenedCluster& cluster);

/// Removes a run, unless it has to stay, which is looked at once more under the conductor's lock. Returns why
/// it stays; empty: it is gone.
std::string remove_run(const RunDirectory& run, const ProcessIdentity& self, const OpenedCluster& cluster);

}  // namespace kernmill
