#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "kernmill/exec/job/batch_place.hpp"
#include "kernmill/exec/job/launcher.hpp"

namespace kernmill::exec {

/// The ranks of a step: `ntasks`, or, where that is not given and the nodes are, so many on each node that
/// the job got.
int ranks_of(const Resources& resources, const BatchPlace& place);

/// The words that start the ranks of a step with srun. It inherits nothing that counts (--cpus-per-task, for
/// one), so that all is said. `container`: an OCI bundle for Slurm's own --container; empty: none.
std::vector<std::string> srun_words(const Resources& resources, const BatchPlace& place,
                                    const std::string& container);

/// What srun gets of this process's environment: the job that it is to make a step in, and nothing that would
/// bind its ranks or contradict its options.
Environment srun_environment(const Environment& own, const Resources& resources);

/// What srun and the daemons said on stderr about the end of a step, each line by one of them.
struct SrunReport {
  bool out_of_memory = false;
  bool node_failed = false;
  std::string failed_node;    ///< its name, if it was said
  bool not_launched = false;  ///< the controller was away: no rank has run
};
/// Reads the end of a file of stderr, from `offset` on.
SrunReport read_srun_report(const std::filesystem::path& err, std::uintmax_t offset = 0);

}  // namespace kernmill::exec
