#pragma once
#include <ctime>
#include <string>
#include <vector>

#include "kernmill/scheduler/cluster.hpp"
#include "kernmill/slurm/options/job_request.hpp"

namespace kernmill::slurm {

/// What a list of sbatch's long options asks for, and what is wrong with the list: one line for each mistake.
struct ParsedOptions {
  JobRequest request;
  std::vector<std::string> problems;
};

/// Reads options as sbatch does; a later one overrides an earlier one. `now` is what begin and deadline count
/// from. The request is not settled yet.
ParsedOptions parse_options(const BatchJob::Options& options, std::time_t now);

/// The names that parse_options knows, in alphabetical order.
std::vector<std::string> known_options();

}  // namespace kernmill::slurm
