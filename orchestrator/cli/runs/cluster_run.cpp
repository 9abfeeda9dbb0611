#include "kernmill/cli/runs/cluster_run.hpp"

#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/base/exit_status.hpp"
#include "kernmill/cli/runs/audited.hpp"
#include "kernmill/cli/runs/known_roots.hpp"
#include "kernmill/cli/runs/load_workflow.hpp"
#include "kernmill/cli/runs/programs.hpp"
#include "kernmill/cli/runs/ready_results.hpp"
#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/cli/runs/wait_for_run.hpp"
#include "kernmill/plan/decisions.hpp"
#include "kernmill/report/shown_streams.hpp"
#include "kernmill/report/table.hpp"
#include "kernmill/run/cluster_check/cluster_check.hpp"
#include "kernmill/run/submit/missing_jobs.hpp"
#include "kernmill/scheduler/cluster_loader.hpp"

namespace kernmill::cli {
namespace {

std::vector<std::pair<std::string, std::string>> cluster_environment(const Programs& programs) {
  auto env = job_environment(programs);
  for (const char* name :
       {"SLURM_CONF", "XDG_STATE_HOME", "KERNMILL_SLURM_PLUGIN", "KERNMILL_CONTAINER_TEMPLATE"})
    if (const std::string value = environment(name); !value.empty()) env.emplace_back(name, value);
  return env;
}

void show_submitted(const RunDirectory& run, const Plan& plan, const Cluster& cluster,
                    const SubmittedJobs& made, const Arguments& arguments) {
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

MissingJobsOptions missing_jobs_options(const RunDirectory& run, const Plan& plan, bool resumed,
                                        const Arguments& arguments, const Hooks& hooks) {
  const Programs programs = find_programs();
  const ReadyResultsOptions ready{.no_cache = arguments.has("no-cache"), .quiet = arguments.has("quiet")};
  return {.resumed = resumed,
          .no_cache = arguments.has("no-cache"),
          .exec = programs.exec,
          .env = cluster_environment(programs),
          .handed_over = [&plan](const Stage& stage) { return handed_over(plan.workflow(), stage); },
          .submission = {.hold = arguments.has("hold"),
                         .fail_fast = arguments.has("fail-fast"),
                         .timeout = std::chrono::seconds(arguments.number("patience").value_or(60)),
                         .pause = [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }},
          .bad_nodes = {.folder = bad_nodes_folder(environment("XDG_STATE_HOME"), environment("HOME"))},
          .hook = hooks.journal,
          .take_ready_results =
              [&run, ready](const Plan& plan_now, const RunRecord& record, JournalWriter& journal) {
                return take_ready_results(run, plan_now, record, journal, ready);
              },
          .tell = [](const std::string& line) { fmt::print(stderr, "{}\n", line); }};
}

/// Submits what a run still lacks, says so, and returns the exit status; with `wait`, stays until it has
/// ended.
int submit_and_tell(const RunDirectory& run, const Plan& plan, bool resumed, Cluster& cluster,
                    const ClusterFacts& facts, const Arguments& arguments, const Hooks& hooks, bool wait,
                    std::unique_ptr<ConductorLock> lock = nullptr) {
  std::optional<SubmittedJobs> made;
  try {
    made = submit_missing(run, plan, cluster, facts,
                          missing_jobs_options(run, plan, resumed, arguments, hooks), std::move(lock));
  } catch (const SubmissionCancelled& wish) {
    fmt::print(stderr, "{}; kernmill resume {} goes on with it\n", wish.what(), run.name());
    return exit_interrupted;
  }
  if (made)
    show_submitted(run, plan, cluster, *made, arguments);
  else
    fmt::print(stderr, "nothing to submit: what is missing of {} is in the queue already\n", run.name());
  return wait ? wait_for_run(run, plan, arguments) : exit_done;
}

}  // namespace

void add_submit_options(boost::program_options::options_description& options) {
  add_flag(options, "hold", "leave the jobs held in the queue; `kernmill resume` releases them");
  add_flag(options, "wait,w", "wait until the run has ended, and show its progress");
  add_number(options, "patience", "SECONDS",
             "how long to keep trying when slurmctld does not answer (default 60)");
}

void show_scripts(const Plan& plan, const JobPlanOptions& options, const std::filesystem::path& root) {
  leave_output_alone();
  const Programs programs = find_programs();
  const SubmissionContext context{.run = RunDirectory(root / (plan.workflow().name + "-DRY-RUN")),
                                  .generation = 1,
                                  .exec = programs.exec,
                                  .env = cluster_environment(programs),
                                  .handed_over = [&plan](const Stage& stage) {
                                    auto variables = handed_over(plan.workflow(), stage);
                                    for (auto& variable : variables)
                                      variable.second = "<of your environment>";
                                    return variables;
                                  }};
  std::map<std::string, std::string> job_of;
  std::vector<std::string> all;
  const std::vector<ArrayPlan> arrays = plan_jobs(plan, options);
  for (const ArrayPlan& array : arrays) {
    fmt::print("### {}: {} of {}\n{}\n", array.key, counted(array.instances.size(), "instance"),
               plan.stage(array.stage).name, to_script(batch_job(context, plan, array, job_of)));
    job_of[array.key] = fmt::format("<{}>", array.key);
    all.push_back(job_of[array.key]);
  }
  for (const GrowthJob& growth : growth_jobs(plan, arrays)) {
    fmt::print("### {}: submits what is decided by {}\n{}\n", growth_key(growth.stage), growth.stage,
               to_script(growth_job(context, plan, growth, job_of)));
    all.push_back(fmt::format("<{}>", growth_key(growth.stage)));
  }
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage)
    if (plan.undecided(stage))
      fmt::print("### {}: instances {}\n\n", plan.stage(stage).name, decided_by(plan.stage(stage).matrix));
  fmt::print("### the closing job\n{}", to_script(closing_job(context, plan, all)));
}

int submit_new(Plan& plan, const std::filesystem::path& root, const Arguments& arguments, const Hooks& hooks,
               bool wait) {
  check_variables(plan.workflow());
  check_passed_to_cluster(plan.workflow());
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
  NewRun made = freeze(plan, root, MeantFor::a_cluster);
  remember_run_root(made.directory.root().parent_path());
  audit(made.directory, "submit", arguments, &plan.workflow());
  return submit_and_tell(made.directory, plan, /*resumed=*/false, *cluster, facts, arguments, hooks,
                         wait || arguments.has("wait"), std::move(made.lock));
}

int resume_on_cluster(const RunDirectory& run, const Plan& plan, const Arguments& arguments,
                      const Hooks& hooks, std::unique_ptr<ConductorLock> lock) {
  check_variables(plan.workflow());
  check_passed_to_cluster(plan.workflow());
  const auto cluster = open_slurm();
  const ClusterFacts facts = cluster->facts();
  return submit_and_tell(run, plan, /*resumed=*/true, *cluster, facts, arguments, hooks,
                         arguments.has("wait"), std::move(lock));
}

}  // namespace kernmill::cli
