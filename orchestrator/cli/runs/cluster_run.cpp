#include "kernmill/cli/runs/cluster_run.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/base/exit_status.hpp"
#include "kernmill/run/submit/cluster_view.hpp"
#include "kernmill/cli/runs/load_workflow.hpp"
#include "kernmill/cli/runs/programs.hpp"
#include "kernmill/cli/runs/ready_results.hpp"
#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/cli/runs/wait_for_run.hpp"
#include "kernmill/report/table.hpp"
#include "kernmill/run/cluster_check/cluster_capacity.hpp"
#include "kernmill/run/cluster_check/cluster_check.hpp"
#include "kernmill/run/conductor/conductor_lock.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/journal/open_attempts.hpp"
#include "kernmill/run/journal/replay.hpp"
#include "kernmill/run/submit/submission.hpp"
#include "kernmill/scheduler/cluster_loader.hpp"

namespace kernmill::cli {
namespace {

std::vector<std::pair<std::string, std::string>> cluster_environment(const Programs& programs) {
  auto env = job_environment(programs);
  for (const char* name : {"SLURM_CONF", "KERNMILL_SLURM_PLUGIN", "KERNMILL_CONTAINER_TEMPLATE"})
    if (const std::string value = environment(name); !value.empty()) env.emplace_back(name, value);
  return env;
}

unsigned next_attempt(const RunRecord& record, const Plan& plan, InstanceId id) {
  const InstanceRecord* known = record.find(plan.stage(id.stage).name, id.index);
  return known == nullptr || known->attempts.empty() ? 1 : known->attempts.back().number + 1;
}

/// Attempts that have begun, have no end record, and whose job is gone: nobody will end them.
void abandon_lost(const Plan& plan, const RunRecord& record, const ClusterView& view,
                  JournalWriter& journal) {
  for (const OpenAttempt& open : newest_open_attempts(record))
    if (!view.find({plan.stage_number(open.stage), open.index}))
      journal.append(to_record(events::Abandoned{{open.stage, open.index, open.attempt.number},
                                                 Cause::node_fail,
                                                 "lost: its job is gone, and left no end record"}));
}

struct Made {
  std::vector<ArrayPlan> arrays;
  Submission submission;
};

void show_submitted(const RunDirectory& run, const Plan& plan, const Cluster& cluster, const Made& made,
                    const Arguments& arguments) {
  if (arguments.json()) {
    Json arrays = Json::array();
    for (const ArrayPlan& array : made.arrays)
      arrays.push_back({{"stage", plan.stage(array.stage).name},
                        {"job", made.submission.job_of.at(array.key)},
                        {"elements", array.is_array ? array.element_indices().text() : ""},
                        {"instances", array.instances.size()}});
    const Json json{{"schema_version", 1},
                    {"run", run.name()},
                    {"directory", run.root().string()},
                    {"jobs", std::move(arrays)},
                    {"closing_job", made.submission.closing_job}};
    fmt::print("{}\n", json.dump(2));
    return;
  }
  TextTable table({}, "  ");
  std::uint64_t instances = 0;
  for (const ArrayPlan& array : made.arrays) {
    const std::string& id = made.submission.job_of.at(array.key);
    instances += array.instances.size();
    table.row({plan.stage(array.stage).name,
               array.is_array ? fmt::format("{}_[{}]", id, array.element_indices().text()) : id,
               array.pack > 1
                   ? fmt::format("{}, {} to an element, {} side by side",
                                 counted(array.instances.size(), "instance"), array.pack, array.slots)
                   : counted(array.instances.size(), "instance")});
  }
  if (!arguments.has("quiet"))
    fmt::print(stderr, "submitted to {}: {} for {}\n{}\n  run   {}\n  next  kernmill status {}\n",
               cluster.description(), counted(made.arrays.size(), "job"), counted(instances, "instance"),
               table.text(), run.root().string(), run.name());
  fmt::print("{}\n", run.name());
}

}  // namespace

void add_submit_options(boost::program_options::options_description& options) {
  add_flag(options, "hold", "leave the jobs held in the queue; `kernmill resume` releases them");
  add_flag(options, "wait,w", "stay until the run has ended, and tell how it goes");
  add_number(options, "patience", "SECONDS",
             "how long to ask a controller that does not answer (default 60)");
}

void show_scripts(const Plan& plan, const JobPlanOptions& options, const std::filesystem::path& root) {
  const Programs programs = find_programs();
  const SubmissionContext context{.run = RunDirectory(root / (plan.workflow().name + "-DRY-RUN")),
                                  .generation = 1,
                                  .exec = programs.exec,
                                  .env = cluster_environment(programs)};
  std::map<std::string, std::string> job_of;
  std::vector<std::string> all;
  for (const ArrayPlan& array : plan_jobs(plan, options)) {
    fmt::print("### {}: {} of {}\n{}\n", array.key, counted(array.instances.size(), "instance"),
               plan.stage(array.stage).name, to_script(batch_job(context, plan, array, job_of)));
    job_of[array.key] = fmt::format("<{}>", array.key);
    all.push_back(job_of[array.key]);
  }
  fmt::print("### the closing job\n{}", to_script(closing_job(context, plan, all)));
}

int submit_missing(const RunDirectory& run, const Plan& plan, bool resumed, Cluster& cluster,
                   const ClusterFacts& facts, const Arguments& arguments, const Hooks& hooks, bool wait) {
  const ProcessIdentity self = self_identity();
  std::optional<ConductorLock> lock(std::in_place, run.lock(), self);
  RunRecord record = fold_journal(run.journal());
  const unsigned generation = record.generations.empty() ? 1 : record.generations.rbegin()->first + 1;
  const auto journal = submission_journal(run, generation, hooks.journal);
  std::vector<ClusterJob> jobs = resumed ? cluster.jobs() : std::vector<ClusterJob>{};
  for (const std::string& line : settle_submissions(run, record, cluster, jobs, *journal))
    fmt::print(stderr, "{}\n", line);
  const ClusterView view(run, plan, record, jobs);
  abandon_lost(plan, record, view, *journal);
  journal->append(to_record(events::RunStarted{self, resumed, "slurm"}));
  record = take_ready_results(run, plan, fold_journal(run.journal()), *journal,
                              {.no_cache = arguments.has("no-cache"), .quiet = arguments.has("quiet")});

  const Replay replay(plan, record);
  JobPlanOptions options = job_plan_options(plan, facts);
  options.needed = [&](InstanceId id) {
    const State state = replay.state(id);
    return state != State::finished && state != State::skipped && !view.find(id);
  };
  options.next_attempt = [&](InstanceId id) { return next_attempt(record, plan, id); };
  options.live_jobs = [&](std::uint32_t stage) { return view.jobs_of(stage); };
  Made made{plan_jobs(plan, options), {}};
  if (made.arrays.empty() && view.any()) {
    fmt::print(stderr, "nothing to submit: what is missing of {} is in the queue already\n", run.name());
    lock.reset();
    return wait ? wait_for_run(run, plan, arguments) : exit_done;
  }
  const Programs programs = find_programs();
  SubmissionContext context{.run = run,
                            .generation = generation,
                            .exec = programs.exec,
                            .env = cluster_environment(programs),
                            .no_cache = arguments.has("no-cache")};
  const auto closing = view.closing_jobs();
  for (const std::string& id : view.jobs()) {
    if (std::find(closing.begin(), closing.end(), id) == closing.end())
      context.live_jobs.push_back(id);
    else
      cluster.cancel(id);  // this generation brings its own
  }
  const SubmissionOptions how{
      .hold = arguments.has("hold"),
      .fail_fast = arguments.has("fail-fast"),
      .timeout = std::chrono::seconds(arguments.number("patience").value_or(60)),
      .pause = [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }};
  made.submission = submit_jobs(context, plan, made.arrays, cluster, *journal, how);
  lock.reset();
  show_submitted(run, plan, cluster, made, arguments);
  return wait ? wait_for_run(run, plan, arguments) : exit_done;
}

int submit_new(const Plan& plan, const std::filesystem::path& root, const Arguments& arguments,
               const Hooks& hooks, bool wait) {
  const auto cluster = open_slurm();
  const ClusterFacts facts = cluster->facts();
  Diagnostics findings;
  check_against(plan, facts, findings);
  findings.sort();
  if (!findings.all().empty()) fmt::print(stderr, "{}", render(findings, arguments.err_paint().on()));
  if (findings.has_errors()) {
    if (arguments.json())
      fmt::print("{}\n",
                 Json{{"schema_version", 1}, {"valid", false}, {"diagnostics", to_json(findings)}}.dump(2));
    return exit_usage;
  }
  return submit_missing(freeze(plan, root), plan, /*resumed=*/false, *cluster, facts, arguments, hooks,
                        wait || arguments.has("wait"));
}

int resume_on_cluster(const RunDirectory& run, const Plan& plan, const Arguments& arguments,
                      const Hooks& hooks) {
  const auto cluster = open_slurm();
  const ClusterFacts facts = cluster->facts();
  return submit_missing(run, plan, /*resumed=*/true, *cluster, facts, arguments, hooks,
                        arguments.has("wait"));
}

std::size_t cancel_jobs(const RunDirectory& run, const Plan& plan, const Hooks& hooks) {
  const ProcessIdentity self = self_identity();
  const ConductorLock lock(run.lock(), self);
  const auto cluster = open_slurm();
  const ClusterView view(run, plan, fold_journal(run.journal()), cluster->jobs());
  JournalWriter journal(run.journal(), fmt::format("cancel-{}-{}", self.pid, self.start_time), 0, "submit",
                        hooks.journal);
  // What waits for others goes first: else it would start, or be killed for want of its parents.
  auto ids = view.jobs();
  std::reverse(ids.begin(), ids.end());
  for (const std::string& id : ids) cluster->cancel(id);
  journal.append(to_record(events::RunFinished{"cancelled"}));
  return ids.size();
}

}  // namespace kernmill::cli
