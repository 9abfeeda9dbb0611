#pragma once
#include "kernmill/slurm/options/job_request.hpp"

namespace kernmill::slurm {

/// Where releases of Slurm want the same request in other words.
struct Dialect {
  bool slash_tres = false;        ///< "gres/gpu:2" instead of "gres:gpu:2" (from 23.11 on)
  bool nodes_from_tasks = false;  ///< the client works out nodes from ntasks and ntasks-per-node, and not
                                  ///< ntasks from nodes and ntasks-per-node (from 23.11 on)
  bool counts_per_task = false;  ///< CPUs and GPUs of a task are one list, "cpu=2,gres/gpu=1" (from 24.05 on)
};

/// Fills in what sbatch works out from the options before it sends them: numbers of tasks, nodes and CPUs.
void settle(JobRequest& request, const Dialect& dialect);

}  // namespace kernmill::slurm
