#pragma once
#include <memory>
#include <optional>
#include <string>

#include "kernmill/cli/arguments.hpp"
#include "kernmill/plan/job_plan.hpp"
#include "kernmill/report/run_status.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "kernmill/scheduler/cluster.hpp"

namespace kernmill::cli {

/// Adds the options that `submit` and the `resume` of a run on a cluster share: --hold, --wait, ...
void add_submit_options(boost::program_options::options_description& options);

/// Checks a plan against the cluster, makes its run and submits it. With `wait`, or --wait, stays until it
/// has ended.
int submit_new(const Plan& plan, const std::filesystem::path& root, const Arguments& arguments,
               const Hooks& hooks, bool wait = false);
/// Submits what is missing of a run that was submitted before.
int resume_on_cluster(const RunDirectory& run, const Plan& plan, const Arguments& arguments,
                      const Hooks& hooks);

/// Submits what a run still lacks, and exits; with --wait, stays until it has ended. Everything that is there
/// is used first: results of earlier runs, and the jobs that are in the queue already. Returns the exit
/// status.
int submit_missing(const RunDirectory& run, const Plan& plan, bool resumed, Cluster& cluster,
                   const ClusterFacts& facts, const Arguments& arguments, const Hooks& hooks, bool wait);

/// Prints the scripts of all jobs of the plan, as sbatch would take them.
void show_scripts(const Plan& plan, const JobPlanOptions& options, const std::filesystem::path& root);

/// Ends all jobs of a run. Returns how many there were.
std::size_t cancel_jobs(const RunDirectory& run, const Plan& plan, const Hooks& hooks);

}  // namespace kernmill::cli
