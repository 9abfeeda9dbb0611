#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "kernmill/cli/arguments.hpp"
#include "kernmill/plan/plan.hpp"
#include "kernmill/run/conductor/conductor_lock.hpp"
#include "kernmill/run/directory/run_directory.hpp"

namespace kernmill::cli {

/// A run that is conducted by this process from its first moment: nobody can resume, cancel or remove it in
/// between.
struct NewRun {
  RunDirectory directory;
  std::unique_ptr<ConductorLock> lock;
};
enum class MeantFor { this_machine, a_cluster };
/// Makes the directory of a new run, with what was asked and what was decided. A run has begun when plan.json
/// is there; where it was meant to run is known by then. The plan speaks of the copy of its code afterwards.
NewRun freeze(Plan& plan, const std::filesystem::path& root, MeantFor where = MeantFor::this_machine);

/// Adds --runs.
void add_runs_option(boost::program_options::options_description& options);

/// Where a new run of a workflow goes: --runs, KERNMILL_RUNS, or runs/ beside the workflow.
std::filesystem::path new_run_root(const Arguments& arguments, const std::filesystem::path& workflow_folder);

/// Where runs are looked for: --runs, KERNMILL_RUNS, ./runs, ./workflows/runs, or this folder when it holds
/// runs itself.
std::filesystem::path run_root(const Arguments& arguments);

/// Every run in the places where this user has made runs, oldest first.
std::vector<RunDirectory> runs_elsewhere();
/// Every run where runs are looked for; of a folder without any, those.
std::vector<RunDirectory> runs_found(const Arguments& arguments);

/// What a run is chosen for.
enum class Looking { only, to_act };
/// The run that the user named (`last`, which is that user's newest, when none), to look at; throws
/// UsageError that lists what there is. In a folder without runs, one elsewhere: to act on it, it has to be
/// named.
RunDirectory chosen_run(const Arguments& arguments, const std::string& selector, uid_t user = ::geteuid(),
                        Looking looking = Looking::only);

/// The plan of a run, as it was frozen; nothing when the run was killed before it had one.
std::optional<Plan> plan_of(const RunDirectory& run);

/// `plan_of`, or UsageError that says what became of the run.
Plan require_plan(const RunDirectory& run);

}  // namespace kernmill::cli
