#pragma once
#include "kernmill/cli/arguments.hpp"
#include "kernmill/plan/plan.hpp"
#include "kernmill/run/directory/run_directory.hpp"

namespace kernmill::cli {

/// Follows a run on a cluster by its journal until its closing job has written the end, tells how it goes,
/// and shows what came out. The cluster is asked now and then, once a minute at last, only to notice that the
/// closing job itself was lost, or that jobs are held which nobody meant to hold: neither is waited for.
/// Ctrl-C leaves the run as it is. Returns the exit status.
int wait_for_run(const RunDirectory& run, const Plan& plan, const Arguments& arguments);

}  // namespace kernmill::cli
