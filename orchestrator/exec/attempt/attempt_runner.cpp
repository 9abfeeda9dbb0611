#include "kernmill/exec/attempt/attempt_runner.hpp"

#include <algorithm>
#include <csignal>
#include <ctime>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/base/backoff.hpp"
#include "kernmill/exec/attempt/commit.hpp"
#include "kernmill/exec/attempt/continuation.hpp"
#include "kernmill/exec/attempt/gathered.hpp"
#include "kernmill/exec/attempt/shell.hpp"
#include "kernmill/exec/attempt/spec.hpp"
#include "kernmill/exec/attempt/step.hpp"
#include "kernmill/exec/attempt/stop_call.hpp"
#include "kernmill/exec/attempt/told_environment.hpp"
#include "kernmill/exec/job/container.hpp"
#include "kernmill/exec/job/srun.hpp"
#include "kernmill/exec/stall/other_nodes.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/workflow/command_stage.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

/// The name that the kernel keeps of a program: its first 15 characters.
std::string short_name(const fs::path& program) {
  return program.filename().string().substr(0, 15);
}

std::uintmax_t size_of(const fs::path& file) {
  std::error_code none;
  const std::uintmax_t size = fs::file_size(file, none);
  return none ? 0 : size;
}

}  // namespace

std::optional<AttemptOutcome> AttemptRunner::run(const Attempt& attempt) {
  make_directories(attempt.directory());
  if (attempt.number == 1 && !given_.no_cache)
    if (const auto cached = committed_from_cache(attempt)) {
      journal_.committed(*cached);
      audit_deployment(attempt, *cached);
      return {};
    }
  before_ = recipe_of_all_attempts(attempt, recipe_before(attempt));
  if (const auto other = tell_other_inputs(attempt); !other.empty()) journal_.inputs_changed(other);
  stop_.asked();
  AttemptOutcome outcome;
  if (given_.batch != nullptr ? stop_.told_to_end() : stop_.asked()) {
    outcome.what = AttemptOutcome::What::stopped;
    outcome.cause = Cause::cancelled;
    outcome.message = "it was asked to stop before it began";
  } else if (attempt.plan.is_reduce(attempt.id)) {
    outcome.leavings = reduce_trials(attempt);
  } else {
    check_inputs(attempt);
    write_gathered(attempt);
    outcome = read_outcome(attempt, run_program(attempt, step_options(attempt)));
  }
  return outcome;
}

void AttemptRunner::commit(const Attempt& attempt, const Leavings& leavings,
                           const std::function<RunRecord()>& others) {
  const Commit commit = prepare_commit(attempt, leavings, before_);
  check_fence(attempt, others());
  journal_.committed(commit.result());
  audit_deployment(attempt, commit.result());
  store_in_cache(attempt, commit);
}

StepEnd AttemptRunner::run_program(const Attempt& attempt, const StepOptions& step) {
  Backoff backoff({milliseconds(1'000), milliseconds(30'000),
                   given_.batch == nullptr ? milliseconds(0) : given_.batch->launch.total});
  while (true) {
    const std::uintmax_t before = size_of(attempt.file("err.log"));
    StepEnd end = run_step(
        step, stop_, [this](int pid, std::uint64_t start_time) { journal_.step_started(pid, start_time); });
    if (given_.batch == nullptr || end.exit_code == 0) return end;
    const SrunReport report = read_srun_report(attempt.file("err.log"), before);
    end.out_of_memory |= report.out_of_memory;
    end.node_failed = report.node_failed;
    end.failed_node = report.failed_node;
    if (!report.not_launched || end.asked_to_stop) return end;
    const auto pause = backoff.pause();
    if (!pause) return end;
    given_.batch->launch.pause(*pause);
  }
}

bool AttemptRunner::uses_srun(const Attempt& attempt) const {
  if (given_.batch == nullptr) return false;
  if (!oci_bundle(attempt.stage().container).empty()) return true;
  return !runs_command(attempt.stage()) &&
         ranks_of(attempt.plan.resources(attempt.id), given_.batch->place) > 1;
}

std::vector<std::string> AttemptRunner::launch(const Attempt& attempt) const {
  const Resources resources = attempt.plan.resources(attempt.id);
  const std::string bundle = oci_bundle(attempt.stage().container);
  std::string named = value_of(given_.environment, "KERNMILL_LAUNCHER_TEMPLATE");
  if (named.empty()) named = given_.launcher;
  if (!named.empty()) return launch_words(named, resources);
  if (given_.batch != nullptr) return srun_words(resources, given_.batch->place, bundle);
  return launch_words("mpiexec -n {ntasks}", resources);
}

std::vector<std::string> AttemptRunner::in_container(const Attempt& attempt) const {
  const std::string& container = attempt.stage().container;
  if (container.empty()) return {};
  if (!oci_bundle(container).empty()) {
    if (given_.batch == nullptr)
      throw AttemptError(
          fmt::format("`container: {}` needs Slurm, which runs OCI bundles by its own "
                      "--container; submit the workflow, or name an image for Apptainer",
                      container));
    return {};
  }
  return container_words(container, {attempt.run.root().string(), attempt.plan.workflow().base_directory},
                         attempt.plan.resources(attempt.id),
                         value_of(given_.environment, "KERNMILL_CONTAINER_TEMPLATE"));
}

StepOptions AttemptRunner::step_options(const Attempt& attempt) {
  const Resources resources = attempt.plan.resources(attempt.id);
  const bool is_command = runs_command(attempt.stage());
  StepOptions step;
  step.token = given_.token;
  // A command may start ranks itself, by KERNMILL_LAUNCH.
  const bool keeps_job = uses_srun(attempt) || (given_.batch != nullptr && is_command);
  step.spawn.env = keeps_job ? srun_environment(given_.environment, resources)
                             : step_environment(given_.environment, resources);
  set(step.spawn.env, "KERNMILL_TOKEN", step.token);
  add_variables(step.spawn.env, attempt,
                {launch(attempt), given_.batch != nullptr ? given_.batch->place.nodes : 1});
  const Workflow& workflow = attempt.plan.workflow();
  step.spawn.work_dir = is_command ? workflow.command_directory() : workflow.base_directory;
  step.spawn.out = attempt.file("out.log").string();
  step.spawn.err = attempt.file("err.log").string();
  set_program(step, attempt);
  step.spawn.argv = with_long_texts_in_files(attempt, step.spawn.argv);
  step.spawn.otherwise = with_long_texts_in_files(attempt, step.spawn.otherwise);
  const fs::path journal = journal_.path();
  // Whoever wonders whether this attempt lives looks at the time of its journal file.
  step.heartbeat = [journal] { ::utimensat(AT_FDCWD, journal.c_str(), nullptr, 0); };
  step.heartbeat_interval =
      std::chrono::seconds(std::max(1, number_of(given_.environment, "KERNMILL_HEARTBEAT", 30)));
  step.stall = stall_options(attempt);
  if (given_.batch != nullptr) {
    heed_batch_system(step, attempt);
  } else {
    const std::chrono::duration<double> limit = resources.time * given_.time_factor;
    step.limit = std::chrono::duration_cast<milliseconds>(limit);
  }
  const milliseconds limit = given_.batch == nullptr ? step.limit : milliseconds(resources.time);
  if (limit.count() > 0) step.lead = lead_of(attempt.stage(), limit);
  if (is_command) {
    step.signal = number_of_signal(attempt.stage().signal);
    set_end(step, attempt);
  }
  leave_environment(told_environment(step.spawn.env, given_.environment, attempt), attempt.directory());
  return step;
}

void AttemptRunner::set_end(StepOptions& step, const Attempt& attempt) {
  using std::chrono::system_clock;
  auto end = given_.batch == nullptr ? std::nullopt : given_.batch->job.end_of_time(given_.environment);
  const milliseconds planned = given_.batch == nullptr ? step.limit : attempt.plan.resources(attempt.id).time;
  if (!end && planned.count() > 0) end = system_clock::now() + planned;
  if (end) set_deadline(step.spawn.env, *end);
}

void AttemptRunner::set_program(StepOptions& step, const Attempt& attempt) const {
  const Stage& stage = attempt.stage();
  const bool launched = given_.batch == nullptr ? !runs_command(stage) : uses_srun(attempt);
  std::vector<std::string> words = launched ? launch(attempt) : std::vector<std::string>{};
  for (std::string& word : in_container(attempt)) words.push_back(std::move(word));
  make_checkpoints(attempt);
  if (runs_command(stage)) {
    if (words.empty()) {
      set_command(step.spawn, attempt);
      return;
    }
    for (std::string& word : command_words_alone(attempt)) words.push_back(std::move(word));
    step.spawn.argv = with_setup(stage, words);
    return;
  }
  const fs::path program = task_program();
  const fs::path spec = attempt.file("spec.json");
  write_file_durably(spec, make_spec(attempt).dump(2) + "\n");
  for (const std::string& word :
       {program.string(), std::string(to_string(stage.kind)), std::string("--spec"), spec.string()})
    words.push_back(word);
  step.spawn.argv = with_setup(stage, words);
  step.rank_program = short_name(program);
}

void AttemptRunner::heed_batch_system(StepOptions& step, const Attempt& attempt) {
  OwnJob& job = given_.batch->job;
  step.told_to_end = given_.batch->told_to_end;
  if (step.stall.after.count() > 0)
    step.stall.others = other_nodes(given_.batch->place, given_.environment, step.token, step.rank_program,
                                    step.stall.stacks);
  step.time_left = [&job] { return job.time_left(); };
  if (uses_srun(attempt) || runs_command(attempt.stage()))
    step.signal_ranks = [&job](int signal) { return job.signal(signal); };
  if (!uses_srun(attempt)) step.mem = given_.batch->place.memory();
}

}  // namespace kernmill::exec
