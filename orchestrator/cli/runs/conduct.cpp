#include "kernmill/cli/runs/conduct.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kernmill/base/exit_status.hpp"
#include "kernmill/base/last_lines.hpp"
#include "kernmill/cli/runs/local_machine.hpp"
#include "kernmill/exec/closing.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/report/confusion.hpp"
#include "kernmill/report/run_summary.hpp"
#include "kernmill/report/text_output.hpp"
#include "kernmill/run/cache/lost_results.hpp"
#include "kernmill/run/growth/growth.hpp"
#include "kernmill/run/journal/open_attempts.hpp"
#include "kernmill/scheduler/local_scheduler.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill::cli {
namespace {

std::size_t terminal_width() {
  winsize size{};
  return ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 100;
}

TextOptions text_options(const Arguments& arguments) {
  TextOptions options;
  options.color = arguments.err_paint().on();
  options.live = isatty(2) == 1;
  options.quiet = arguments.has("quiet");
  options.verbose = arguments.has("verbose");
  options.width = terminal_width();
  return options;
}

std::string new_session() {
  return fmt::format("{:06x}", std::random_device{}() & 0xffffffU);
}

ExitStatus exit_code(RunOutcome outcome) {
  switch (outcome) {
    case RunOutcome::done:
      return exit_done;
    case RunOutcome::failed:
      return exit_failed;
    case RunOutcome::interrupted:
    case RunOutcome::cancelled:
      break;
  }
  return exit_interrupted;
}

/// The confusion matrices of the stages that evaluated one model.
std::string confusions(const RunStatus& status) {
  std::string text;
  for (const InstanceStatus& instance : status.instances) {
    const StageStatus& stage = status.stages[instance.id.stage];
    if (stage.kind != TaskKind::evaluate || stage.instances > 1) continue;
    for (const Artifact& artifact : instance.artifacts) {
      if (artifact.name != "report" || !std::filesystem::exists(artifact.path)) continue;
      const std::string table = confusion_text(json_or_nothing(read_file(artifact.path)));
      if (!table.empty()) text += fmt::format("\n{}\n{}", instance.label, table);
    }
  }
  return text;
}

void add_result_file(InstanceStatus& instance, const StageStatus& stage) {
  constexpr std::size_t most_lines = 5;
  if (instance.state != State::finished) return;
  for (const Artifact& artifact : instance.artifacts) {
    if (stage.kind != TaskKind::tune || artifact.name != "best" || !std::filesystem::exists(artifact.path))
      continue;
    const Json best = json_or_nothing(read_file(artifact.path));
    if (best.is_object() && best.contains("point") && best["point"].is_object())
      instance.point = best["point"];
  }
  if (stage.kind == TaskKind::command && stage.instances == 1)
    instance.output = last_lines(std::filesystem::path(instance.directory) / "out.log", most_lines);
}

}  // namespace

void add_result_files(RunStatus& status) {
  for (InstanceStatus& instance : status.instances)
    add_result_file(instance, status.stages[instance.id.stage]);
}

void show_end(RunStatus status, const Arguments& arguments) {
  add_result_files(status);
  const Paint paint = arguments.err_paint();
  const std::string failures = failures_text(status, paint);
  if (!failures.empty()) fmt::print(stderr, "\n{}", failures);
  if (const std::string warnings = warnings_text(status, paint); !warnings.empty())
    fmt::print(stderr, "\n{}", warnings);
  const std::string results = results_text(status);
  if (arguments.json()) {
    fmt::print("{}\n", to_json(status).dump(2));
  } else if (!results.empty()) {
    if (!arguments.has("quiet")) fmt::print(stderr, "\n");
    fmt::print("{}{}", results, confusions(status));
  }
  std::fflush(stdout);
  if (!arguments.has("quiet") || status.state != "done")
    fmt::print(stderr, "\n{}", closing_text(status, paint));
}

Depth depth_of_end(const Arguments& arguments) {
  return arguments.json() ? Depth::everything : Depth::results;
}

void add_conduct_options(boost::program_options::options_description& options) {
  add_number(options, "cores,j", "N", "cores to use at most (default: all that this process may run on)");
  add_flag(options, "keep-going", "after a failure, finish what does not depend on it (the default)");
  add_flag(options, "fail-fast", "after a failure, start nothing new");
  add_flag(options, "no-cache", "run everything; take nothing from the cache");
  add_text(options, "scheduler", "NAME", "local, slurm or auto (default auto: this machine)");
  add_flag(options, "quiet,q", "print failures only");
  add_flag(options, "verbose,v", "print every start, and every instance of a large stage");
}

void check_conduct_options(const Arguments& arguments) {
  if (arguments.has("keep-going") && arguments.has("fail-fast"))
    throw UsageError("--keep-going and --fail-fast contradict each other");
  if (arguments.number("cores").value_or(1) < 1) throw UsageError("--cores takes a number from 1 on");
  const std::string scheduler = arguments.text("scheduler", "auto");
  if (scheduler != "auto" && scheduler != "local" && scheduler != "slurm")
    throw UsageError(fmt::format("--scheduler takes local, slurm or auto, not '{}'", scheduler));
}

Conducted conduct_to_the_end(const RunDirectory& run, const Plan& begun_with, bool resumed,
                             const Arguments& arguments, Output& output, const Hooks& hooks,
                             std::unique_ptr<ConductorLock> lock) {
  Plan plan = begun_with;  // it may grow
  const ProcessIdentity self = self_identity();
  if (!lock) lock = std::make_unique<ConductorLock>(run.lock(), self);
  const StopSignals stop;
  JournalWriter journal(run.journal(), fmt::format("conductor-{}-{}", self.pid, self.start_time), 0,
                        "conductor", hooks.journal);
  RunRecord record;
  if (resumed)
    record = settle_open_attempts(run, journal, self.host, [&](const OpenAttempt& open) {
      if (!arguments.has("quiet"))
        fmt::print(stderr, "ended what was left of attempt {} of {}\n", open.attempt.number,
                   plan.label({plan.stage_number(open.stage), open.index}));
    });
  DigestStore digests(run.root().parent_path());
  if (resumed)
    for (const std::string& line : to_lines(give_up_lost_results(record, digests, journal, &plan), plan))
      fmt::print(stderr, "{}\n", line);
  if (resumed && record.generations.empty()) gather_ended_jobs(run.journal(), journal);

  LocalScheduler scheduler({.cores = arguments.number("cores").value_or(0)});
  LocalMachine machine(
      run, plan, stop, journal,
      {.no_cache = arguments.has("no-cache"), .cores = scheduler.cores(), .mem = scheduler.mem()});
  ConductorPorts ports = machine.ports();
  ports.grow = [&](const CommitTable& commits) -> std::vector<std::uint32_t> {
    auto growth = grow_run(run, plan, [&](InstanceId id) { return commits.result(id); });
    if (!growth) return {};
    plan = std::move(growth->plan);
    machine.plan_has_grown();
    return growth->stages;
  };
  Conductor conductor(run, plan, scheduler, journal, output, std::move(ports),
                      {.fail_fast = arguments.has("fail-fast"), .session = new_session()});
  if (resumed) conductor.restore(record);
  const RunResult result = conductor.run(self);
  machine.gather();
  lock.reset();  // what follows looks at the run from outside
  RunStatus status = inspect(run, plan, view_and_keep(run.journal()), depth_of_end(arguments));
  status.took = result.took;  // of this life of the run
  return {result.outcome, std::move(status)};
}

int conduct(const RunDirectory& run, const Plan& plan, bool resumed, const Arguments& arguments,
            const Hooks& hooks, std::unique_ptr<ConductorLock> lock) {
  std::signal(SIGPIPE, SIG_IGN);  // who reads what is printed may go, the run does not
  TextOutput output(stderr, text_options(arguments), std::chrono::steady_clock::now);
  Conducted conducted = conduct_to_the_end(run, plan, resumed, arguments, output, hooks, std::move(lock));
  std::exception_ptr lost;
  try {
    show_end(std::move(conducted.status), arguments);
  } catch (const std::system_error&) {  // the hook is owed all the same
    lost = std::current_exception();
  }
  if (conducted.outcome == RunOutcome::done || conducted.outcome == RunOutcome::failed)
    exec::run_hook(run, plan.workflow(), std::string(to_string(conducted.outcome)));
  if (lost) std::rethrow_exception(lost);
  return exit_code(conducted.outcome);
}

}  // namespace kernmill::cli
