#pragma once
#include <filesystem>

#include "kernmill/cli/arguments.hpp"
#include "kernmill/plan/job_plan.hpp"
#include "kernmill/run/conductor/conductor_lock.hpp"
#include "kernmill/run/directory/run_directory.hpp"

namespace kernmill::cli {

/// Adds the options that `submit` and the `resume` of a run on a cluster share: --hold, --wait, ...
void add_submit_options(boost::program_options::options_description& options);

/// Checks a plan against the cluster, makes its run and submits it. With `wait`, or --wait, stays until it
/// has ended.
int submit_new(Plan& plan, const std::filesystem::path& root, const Arguments& arguments, const Hooks& hooks,
               bool wait = false);
/// Submits what is missing of a run that was submitted before.
int resume_on_cluster(const RunDirectory& run, const Plan& plan, const Arguments& arguments,
                      const Hooks& hooks, std::unique_ptr<ConductorLock> lock = nullptr);

/// Prints the scripts of all jobs of the plan, as sbatch would take them.
void show_scripts(const Plan& plan, const JobPlanOptions& options, const std::filesystem::path& root);

}  // namespace kernmill::cli
