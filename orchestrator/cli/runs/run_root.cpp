#include "kernmill/cli/runs/run_root.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/cli/runs/acting.hpp"
#include "kernmill/cli/runs/known_roots.hpp"
#include "kernmill/cli/runs/programs.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/run/cache/declared_inputs.hpp"
#include "kernmill/run/code/code_snapshot.hpp"
#include "kernmill/run/directory/plan_file.hpp"
#include "kernmill/run/directory/trust.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "kernmill/run/submit/submission.hpp"

namespace fs = std::filesystem;

namespace kernmill::cli {
namespace {

void keep_included(const RunDirectory& run, const Workflow& workflow) {
  if (workflow.included.empty()) return;
  const fs::path folder = run.root() / "included";
  make_directories(folder);
  std::size_t number = 0;
  for (const SourceFile& file : workflow.included) {
    const std::string name = fs::path(file.path).filename().string();
    write_file_durably(folder / fmt::format("{}-{}", ++number, name), file.text);
  }
}

}  // namespace

NewRun freeze(Plan& plan, const fs::path& root, MeantFor where) {
  const Workflow& workflow = plan.workflow();
  const ProcessIdentity self = self_identity();
  const bool submits = where == MeantFor::a_cluster;
  std::unique_ptr<ConductorLock> lock;
  RunDirectory run =
      create_run_directory(root, workflow.name, workflow.share_group, [&](const RunDirectory& made) {
        const auto purpose = submits ? ConductorLock::Purpose::settle : ConductorLock::Purpose::conduct;
        lock = std::make_unique<ConductorLock>(made.lock(), self, purpose);
      });
  vouch_for_new(run);
  if (submits)
    submission_journal(run, 0)->append(
        to_record(events::RunStarted{self, /*resumed=*/false, "slurm", /*life=*/1}));
  write_file_durably(run.workflow(), workflow.text);
  keep_included(run, workflow);
  DigestStore digests(run.root().parent_path());
  if (workflow.snapshot.on()) {
    Workflow with_copy = workflow;
    take_code(run, with_copy, digests);
    plan = Plan(std::move(with_copy));
  }
  note_inputs(run, plan, digests);
  write_plan_file(run, plan);
  return {std::move(run), std::move(lock)};
}

void add_runs_option(boost::program_options::options_description& options) {
  add_text(options, "runs", "DIR",
           "folder of the runs (default KERNMILL_RUNS, else runs/ beside the workflow)");
}

fs::path new_run_root(const Arguments& arguments, const fs::path& workflow_folder) {
  if (arguments.has("runs")) return fs::absolute(arguments.text("runs"));
  const std::string set = environment("KERNMILL_RUNS");
  return set.empty() ? workflow_folder / "runs" : fs::absolute(set);
}

fs::path run_root(const Arguments& arguments) {
  if (arguments.has("runs")) return fs::absolute(arguments.text("runs"));
  if (const std::string set = environment("KERNMILL_RUNS"); !set.empty()) return fs::absolute(set);
  for (const char* candidate : {"runs", "workflows/runs"})
    if (fs::is_directory(candidate)) return fs::absolute(candidate);
  return list_runs(".").empty() ? fs::absolute("runs") : fs::current_path();
}

namespace {

/// Whether nobody has said where runs lie, and none lie here.
bool may_be_elsewhere(const Arguments& arguments) {
  return !arguments.has("runs") && environment("KERNMILL_RUNS").empty() &&
         list_runs(run_root(arguments)).empty();
}

}  // namespace

std::vector<RunDirectory> runs_elsewhere() {
  std::vector<RunDirectory> runs;
  for (const fs::path& root : known_run_roots()) try {
      for (RunDirectory& run : list_runs(root)) runs.push_back(std::move(run));
    } catch (const std::system_error&) {  // a folder that cannot be read any more
    }
  std::stable_sort(runs.begin(), runs.end(),
                   [](const RunDirectory& a, const RunDirectory& b) { return made_before(a, b); });
  return runs;
}

std::vector<RunDirectory> runs_found(const Arguments& arguments) {
  return may_be_elsewhere(arguments) ? runs_elsewhere() : list_runs(run_root(arguments));
}

RunDirectory chosen_run(const Arguments& arguments, const std::string& selector, uid_t user,
                        Looking looking) {
  const std::string wanted = selector.empty() ? "last" : selector;
  if (wanted.find('/') == std::string::npos && may_be_elsewhere(arguments)) {
    const std::vector<RunDirectory> runs = runs_elsewhere();
    const RunDirectory* found = nullptr;
    for (const RunDirectory& run : runs)
      if (run.name() == wanted || (wanted == "last" && owner_of(run) == user)) found = &run;
    if (found != nullptr && wanted == "last" && looking == Looking::to_act)
      throw UsageError(fmt::format("there are no runs in {}; the newest elsewhere is {}",
                                   run_root(arguments).string(), found->root().string()),
                       fmt::format("name it: {}", found->name()));
    if (found != nullptr) {
      if (wanted == "last")
        fmt::print(stderr, "no runs here; the newest elsewhere: {}\n", found->root().string());
      return *found;
    }
  }
  try {
    return select_run(run_root(arguments), wanted, user);
  } catch (const std::runtime_error& error) {
    throw UsageError(error.what());
  }
}

std::optional<Plan> plan_of(const RunDirectory& run) {
  if (!fs::exists(run.plan())) return {};
  return read_plan_file(run).plan;
}

Plan require_plan(const RunDirectory& run) {
  if (auto plan = plan_of(run)) return std::move(*plan);
  if (const std::size_t begun = fold_journal(run.journal()).instances.size(); begun > 0)
    throw UsageError(
        fmt::format("run {} has lost its plan: {} is not there, but {} begun", run.name(),
                    run.plan().string(),
                    begun == 1 ? "an instance has" : counted(begun, "instance") + " have"),
        "put it back from a copy, or start the workflow again with kernmill run: what the cache knows of "
        "this run is taken from it");
  throw UsageError(
      fmt::format("run {} was ended while it was being made: it has no plan, and nothing of it has run",
                  run.name()),
      fmt::format("start the workflow again with kernmill run; kernmill clean {} --yes removes this one",
                  run.name()));
}

}  // namespace kernmill::cli
