#pragma once
#include "kernmill/exec/attempt/options.hpp"
#include "kernmill/exec/job/own_job.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill::exec {

/// Runs the workflow's on_success ("done") or on_failure (any other outcome), if there is one, and says so
/// when it fails. Returns an exit status.
int run_hook(const RunDirectory& run, const Workflow& workflow, const std::string& outcome);

/// Settles the end of a submitted run, in a job that waits for the end of all others: journals attempts that
/// ended without a word as abandoned, cancels what is left of its jobs, writes how the run has ended, and
/// runs the workflow's on_success or on_failure. Leaves the end to a newer generation where there is one.
/// Returns an exit status, which says how the run has ended to whoever waits for this job, or gets its mail:
/// failed when not all of it is done, and when that command failed.
int close_run(const Options& options, const RunDirectory& run, const JournalWriter::Hook& hook,
              const ClusterFactory& open_cluster);

}  // namespace kernmill::exec
