#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/exec/job/launcher.hpp"

namespace kernmill::exec {

/// How the ranks of a step find each other without MPI, as torch.distributed and its like do.

/// HOST:PORT of this machine, the first of the step's nodes, with a port that was free just now. Steps with
/// different seeds that start side by side are unlikely to get the same.
std::string rendezvous(int nodes, std::string_view seed);

/// The word that `KERNMILL_LAUNCH` ends in: it starts a rank's program with `rank_variables`. Nothing where
/// a shell would not read this program's path as one word.
std::vector<std::string> rank_starter();

/// RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, NODE_RANK, GROUP_RANK, MASTER_ADDR and MASTER_PORT, from
/// what mpiexec, srun or Open MPI have told a rank, and KERNMILL_RENDEZVOUS; those that are set already are
/// left out. None where nobody has told it its rank.
Environment rank_variables(const Environment& own);

/// Becomes the program of a rank when the words are those of `rank_starter` and a command; returns the exit
/// status when that cannot be started, and nothing for any other words.
std::optional<int> start_rank(const std::vector<std::string>& words);

}  // namespace kernmill::exec
