#pragma once
#include <string>
#include <utility>
#include <vector>

#include "kernmill/slurm/settle/settle.hpp"

namespace kernmill::slurm {

/// What a submission takes along of the process that submits.
struct Submitter {
  std::string folder, host;
  unsigned umask = 022;
  int niceness = 0;
  std::vector<std::pair<std::string, unsigned long>> limits;  ///< "STACK" -> bytes, as Slurm names them
};

/// This process.
Submitter this_submitter();

/// The SLURM_* variables that sbatch adds to a job's environment, so that srun in the job and slurmd on the
/// node do what they do under sbatch. The request is settled.
std::vector<std::pair<std::string, std::string>> job_environment(const JobRequest& request,
                                                                 const Dialect& dialect,
                                                                 const Submitter& submitter);

}  // namespace kernmill::slurm
