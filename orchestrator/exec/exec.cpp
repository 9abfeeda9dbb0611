#include "kernmill/exec/exec.hpp"

#include <cstdio>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "kernmill/exec/commit.hpp"
#include "kernmill/exec/launcher.hpp"
#include "kernmill/exec/options.hpp"
#include "kernmill/exec/outcome.hpp"
#include "kernmill/exec/shell.hpp"
#include "kernmill/exec/spec.hpp"
#include "kernmill/exec/step.hpp"
#include "kernmill/scheduler/process.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;
enum ExitStatus { committed = 0, failed = 1, unusable = 2, unavailable = 3, stopped = 75 };

/// The name that the kernel keeps of a program: its first 15 characters.
std::string short_name(const fs::path& program) {
  return program.filename().string().substr(0, 15);
}

class Execution {
 public:
  Execution(const Options& options, const RunDirectory& run, const JournalWriter::Hook& hook,
            StopRequests& stop)
      : options_(options),
        run_(run),
        stop_(stop),
        journal_(run.journal(), options.job, options.restart, "exec", hook) {}

  int carry_out() {
    try {
      // The record comes first: from here on, an older attempt can no longer commit.
      journal_.append({"started", body({{"job", options_.job},
                                        {"pid", ::getpid()},
                                        {"start_time", start_time_of(::getpid())},
                                        {"host", host_name()}})});
      const RunRecord record = fold_journal(run_.journal());
      const Json document = Json::parse(read_file(run_.plan()));
      const Plan plan = plan_from_json(document);
      const Attempt attempt = make_attempt(run_, plan, options_.attempt, record);
      return settle(attempt, run(attempt, document.value("launcher", "")));
    } catch (const std::exception& error) {
      Outcome outcome;
      outcome.what = Outcome::What::failed;
      outcome.message = error.what();
      return give_up(outcome);
    }
  }

 private:
  /// Nothing when the attempt was committed from the cache.
  std::optional<Outcome> run(const Attempt& attempt, const std::string& launcher) {
    check_parents(attempt);
    if (!attempt.stage().container.empty())
      throw AttemptError(
          "`container` is not supported by this version of Kernmill; remove it, or use `run:`");
    make_directories(attempt.directory());
    if (attempt.number == 1 && !options_.no_cache)
      if (const auto cached = committed_from_cache(attempt)) {
        append("committed", *cached);
        return {};
      }
    Outcome outcome;
    if (stop_.asked()) {
      outcome.what = Outcome::What::stopped;
      outcome.cause = Cause::cancelled;
      outcome.message = "it was asked to stop before it began";
    } else if (attempt.plan.is_reduce(attempt.id)) {
      outcome.leavings = reduce_trials(attempt);
    } else {
      outcome = read_outcome(
          attempt,
          run_step(step_options(attempt, launcher), stop_, [this](int pid, std::uint64_t start_time) {
            append("step_started", {{"pid", pid}, {"start_time", start_time}, {"host", host_name()}});
          }));
    }
    return outcome;
  }

  StepOptions step_options(const Attempt& attempt, const std::string& launcher) {
    const Stage& stage = attempt.stage();
    const Environment own = own_environment();
    const Resources resources = attempt.plan.resources(attempt.id);
    std::vector<std::string> launch = launch_words(launch_template(own, launcher), resources);
    StepOptions step;
    step.token = value_of(own, "KERNMILL_TOKEN");
    step.spawn.env = step_environment(own, resources);
    add_variables(step.spawn.env, attempt, fmt::format("{}", fmt::join(launch, " ")));
    step.spawn.work_dir = attempt.plan.workflow().base_directory;
    step.spawn.out = attempt.file("out.log").string();
    step.spawn.err = attempt.file("err.log").string();
    const std::chrono::duration<double> limit = resources.time * options_.time_factor;
    step.limit = std::chrono::duration_cast<std::chrono::milliseconds>(limit);
    if (stage.kind == TaskKind::command) {
      step.spawn.argv = command_words(attempt);
      return step;
    }
    const fs::path program = task_program();
    const fs::path spec = attempt.file("spec.json");
    make_directories(run_.checkpoints(stage.name, attempt.id.index));
    write_file_durably(spec, make_spec(attempt).dump(2) + "\n");
    for (const std::string& word :
         {program.string(), std::string(to_string(stage.kind)), std::string("--spec"), spec.string()})
      launch.push_back(word);
    step.spawn.argv = with_setup(stage, launch);
    step.rank_program = short_name(program);
    return step;
  }

  static std::string launch_template(const Environment& own, const std::string& of_plan) {
    if (const std::string named = value_of(own, "KERNMILL_LAUNCHER_TEMPLATE"); !named.empty()) return named;
    return of_plan.empty() ? "mpiexec -n {ntasks}" : of_plan;
  }

  int settle(const Attempt& attempt, const std::optional<Outcome>& outcome) {
    if (!outcome) return committed;
    if (outcome->what != Outcome::What::done) return give_up(*outcome);
    const Commit commit = prepare_commit(attempt, outcome->leavings);
    check_fence(attempt, fold_journal(run_.journal()));
    append("committed", commit.body());
    store_in_cache(attempt, commit);
    return committed;
  }

  int give_up(const Outcome& outcome) {
    Json more = {{"cause", to_string(outcome.cause)}, {"exit_code", outcome.exit_code}};
    if (outcome.signal != 0) more["signal"] = outcome.signal;
    more["message"] = outcome.message;
    const bool was_stopped = outcome.what == Outcome::What::stopped;
    append(was_stopped ? "stopped" : "failed", more);
    return was_stopped ? stopped : failed;
  }

  [[nodiscard]] Json body(const Json& more) const {
    Json result = {{"stage", options_.attempt.stage},
                   {"instance", options_.attempt.instance},
                   {"attempt", options_.attempt.number}};
    result.update(more);
    return result;
  }
  void append(const std::string& event, const Json& more) { journal_.append({event, body(more)}); }

  const Options& options_;
  const RunDirectory& run_;
  StopRequests& stop_;
  JournalWriter journal_;
};

}  // namespace

int main(int argc, char** argv, JournalWriter::Hook hook) {
  try {
    StopRequests stop;  // first: no request is to find this process unprepared
    const Options options = parse_options({argv + 1, argv + argc});
    const RunDirectory run(fs::canonical(options.run));
    return Execution(options, run, hook, stop).carry_out();
  } catch (const std::invalid_argument& error) {
    fmt::print(stderr, "kernmill-exec: {}\n", error.what());
    return unusable;
  } catch (const std::exception& error) {
    fmt::print(stderr, "kernmill-exec: {}\n", error.what());
    return unavailable;
  }
}

}  // namespace kernmill::exec
