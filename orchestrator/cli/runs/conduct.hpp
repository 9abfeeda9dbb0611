#pragma once
#include <memory>

#include "kernmill/cli/arguments.hpp"
#include "kernmill/cli/runs/inspect.hpp"
#include "kernmill/plan/plan.hpp"
#include "kernmill/report/run_status.hpp"
#include "kernmill/run/conductor/conductor_lock.hpp"
#include "kernmill/run/conductor/conductor_output.hpp"
#include "kernmill/run/directory/run_directory.hpp"

namespace kernmill::cli {

/// Adds the options that `run` and `resume` share: --cores, --keep-going, --fail-fast, --no-cache, ...
void add_conduct_options(boost::program_options::options_description& options);
/// Throws UsageError for values that cannot be meant, std::runtime_error for a scheduler that is not there.
void check_conduct_options(const Arguments& arguments);

/// How a run has ended, and what became of it.
struct Conducted {
  RunOutcome outcome = RunOutcome::done;
  RunStatus status;
};

/// Conducts a run in this process until it ends, and tells `output` of it. With `resumed`, settles first what
/// an earlier conductor left open. `lock`: the run's, where it is held already.
Conducted conduct_to_the_end(const RunDirectory& run, const Plan& plan, bool resumed,
                             const Arguments& arguments, Output& output, const Hooks& hooks,
                             std::unique_ptr<ConductorLock> lock = nullptr);

/// Conducts a run in this process until it ends, narrates it, and shows what came out of it. Returns the exit
/// status.
int conduct(const RunDirectory& run, const Plan& plan, bool resumed, const Arguments& arguments,
            const Hooks& hooks, std::unique_ptr<ConductorLock> lock = nullptr);

/// Adds what the files of finished instances say beside the journal: the best point of a search, what a
/// command printed.
void add_result_files(RunStatus& status);

/// How much of a run is looked at when it has ended.
Depth depth_of_end(const Arguments& arguments);
/// Shows how a run has ended: what failed on stderr, what came out of it on stdout.
void show_end(RunStatus status, const Arguments& arguments);

}  // namespace kernmill::cli
