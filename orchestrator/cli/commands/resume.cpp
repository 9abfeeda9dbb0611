#include <fmt/format.h>

#include "kernmill/cli/arguments.hpp"
#include "kernmill/cli/runs/acting.hpp"
#include "kernmill/cli/runs/audited.hpp"
#include "kernmill/cli/runs/cluster_run.hpp"
#include "kernmill/cli/runs/conduct.hpp"
#include "kernmill/cli/runs/going_on.hpp"
#include "kernmill/cli/runs/inspect.hpp"
#include "kernmill/cli/runs/programs.hpp"
#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/os/file_beside.hpp"
#include "kernmill/plan/decisions.hpp"
#include "kernmill/run/cache/lost_results.hpp"
#include "kernmill/run/conductor/conductor_lock.hpp"
#include "kernmill/run/submit/generation.hpp"
#include "kernmill/run/submit/settling.hpp"
#include "kernmill/scheduler/cluster_loader.hpp"

namespace kernmill::cli {
namespace {

/// Says that there is nothing to go on with.
int already_done(const RunDirectory& run, const Plan& plan, const RunView& view, const Arguments& arguments) {
  if (arguments.json())
    fmt::print("{}\n", to_json(inspect(run, plan, view, Depth::everything)).dump(2));
  else
    fmt::print(stderr, "{} is done already; nothing is left to run.\n", run.name());
  return exit_done;
}

bool is_all_there(const RunDirectory& run, const Plan& plan, const RunView& view) {
  DigestStore digests(run.root().parent_path());
  RunRecord record;
  record.instances = view.record.instances;
  for (const auto& [stage, summary] : view.plain.summaries())
    for (const PlainCommit& row : view.plain.rows(stage))
      if (row.artifacts != 0) record.instances[{stage, row.instance}] = view.plain.record(row);
  return take_out_lost_results(record, digests, &plan).empty();
}

/// Jobs in a queue and this machine must not carry out the same instances.
void refuse_while_jobs_are_left(const RunDirectory& run) {
  try {
    const auto cluster = open_slurm();
    if (live_jobs(run, cluster->jobs()).empty()) return;
  } catch (const ClusterError& error) {
    fmt::print(stderr, "whether jobs of {} are left is not known: {}\n", run.name(), error.what());
    return;
  }
  throw std::runtime_error(fmt::format(
      "jobs of {} are in the queue or running; end them with kernmill cancel {}, or resume it there "
      "with --scheduler slurm",
      run.name(), run.name()));
}

int resume(const Command& self, const std::vector<std::string>& words, const Hooks& hooks) {
  boost::program_options::options_description options;
  add_runs_option(options);
  add_acting_options(options);
  add_conduct_options(options);
  add_submit_options(options);
  add_change_options(options);
  Arguments arguments(self, options, {"run"});
  if (!arguments.parse(words)) return exit_done;
  check_conduct_options(arguments);
  const RunDirectory run = run_to_act_on(arguments, arguments.text("run"));
  Plan frozen = without_problems(require_plan(run));
  const RunView view = view_journal(run.journal(), {.trust = ViewOptions::Trust::bytes});
  const RunRecord& record = view.record;
  // A submission that died before its first record has begun nothing here, either.
  const bool goes_by_files = record.started_at.empty() && was_submitted(run, record);
  const std::string scheduler = arguments.text("scheduler", goes_by_files ? "slurm" : record.scheduler);
  GoingOn on = going_on(run, std::move(frozen), view, scheduler == "slurm", arguments);
  if (on.exit) return *on.exit;
  const Plan& plan = on.plan;
  if (!on.changed && record.outcome == "done" && !lock_holder(run.lock()) && is_all_there(run, plan, view))
    return already_done(run, plan, view, arguments);
  for (const auto& folder : {run.journal(), run.settled()})
    remove_files_left_beside(folder, std::chrono::hours(24));
  audit(run, self.name, arguments, &plan.workflow());
  if (scheduler == "slurm") return resume_on_cluster(run, plan, arguments, hooks, std::move(on.lock));
  if (was_submitted(run, record)) refuse_while_jobs_are_left(run);
  check_variables(plan.workflow());
  return conduct(run, plan, /*resumed=*/true, arguments, hooks, std::move(on.lock));
}

}  // namespace

const Command resume_command{
    "resume", "go on with a run that was interrupted, killed, or has failed", "[RUN] [options]",
    "  kernmill resume last\n"
    "  kernmill resume iris-svm-20261121-040506-1a2b\n"
    "  kernmill resume last --set time=2h --set fit.mem=8G\n"
    "  kernmill resume last --with iris_svm.yaml --dry-run     what an edit would change\n",
    resume};

}  // namespace kernmill::cli
