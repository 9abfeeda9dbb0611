#pragma once
#include "kernmill/scheduler/cluster.hpp"

namespace kernmill::slurm {

/// Adds what the accounting database knows of this user: accounts, QOS, and how many jobs each may have.
/// Nothing where the database does not answer, which is no error. `facts.name` is the cluster's.
void load_accounting(ClusterFacts& facts);

}  // namespace kernmill::slurm
