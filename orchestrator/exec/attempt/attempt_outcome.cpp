#include "kernmill/exec/attempt/attempt_outcome.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "kernmill/base/exit_status.hpp"
#include "kernmill/base/last_lines.hpp"
#include "kernmill/exec/attempt/result_file.hpp"
#include "kernmill/exec/attempt/shell.hpp"
#include "kernmill/exec/stall/stacks.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/room.hpp"
#include "kernmill/workflow/command_stage.hpp"
#include "kernmill/workflow/value/units.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;

std::string tail_of(const fs::path& file, std::size_t lines) {
  std::string text;
  for (const std::string& line : last_lines(file, lines)) text += '\n' + line;
  return text;
}

Leavings task_leavings(const Attempt& attempt) {
  const bool is_trial = attempt.stage().kind == TaskKind::tune;
  const fs::path result_file = attempt.file("result.json");
  const TaskResult result = is_trial ? read_trial_result_file(result_file) : read_result_file(result_file);
  Leavings leavings;
  leavings.metrics = result.metrics;
  for (const auto& [name, path] : result.artifacts) {
    const fs::path file = attempt.file(path);
    if (!fs::is_regular_file(file))
      throw AttemptError(
          fmt::format("result.json promises the artifact '{}', but {} is not there", name, file.string()));
    leavings.artifacts.emplace_back(name, file);
  }
  return leavings;
}

/// The signal that mpiexec says has ended a rank: it returns its number as if it were an exit status.
int signal_in_report(const fs::path& out) {
  const std::string text = tail_of(out, 8);
  const std::size_t at = text.find("EXIT STRING:"), open = text.find("(signal ", at);
  return at == std::string::npos || open == std::string::npos ? 0 : std::atoi(text.c_str() + open + 8);
}

AttemptOutcome failure(Cause cause, const StepEnd& end, int signal, std::string message) {
  AttemptOutcome outcome;
  outcome.what = AttemptOutcome::What::failed;
  outcome.cause = cause;
  outcome.exit_code = end.exit_code;
  outcome.signal = signal;
  outcome.message = std::move(message);
  return outcome;
}

AttemptOutcome stop(Cause cause, const StepEnd& end, std::string message) {
  AttemptOutcome outcome = failure(cause, end, 0, std::move(message));
  outcome.what = AttemptOutcome::What::stopped;
  return outcome;
}

std::string named(int signal) {
  const char* name = ::sigabbrev_np(signal);
  const char* meaning = ::sigdescr_np(signal);
  return fmt::format("signal {} (SIG{}: {})", signal, name ? name : "?", meaning ? meaning : "?");
}

/// What a shell means by a status, where it may mean that a signal ended one of its programs: 128 + signal.
std::string meant_by_shell(int exit_code) {
  const int signal = exit_code - 128;
  if (signal == SIGPIPE)
    return ": SIGPIPE, a program of a pipe wrote on after its reader had ended; commands run with pipefail, "
           "and "
           "so that is a failure: let the reader read all, or end the line with `|| true`";
  if (signal <= 0 || ::sigabbrev_np(signal) == nullptr) return "";
  return fmt::format(", as a shell does for a program that was killed by {}", named(signal));
}

std::string describe_end(const StepEnd& end, int signal) {
  if (end.out_of_memory) return "out of memory: a process of this job was ended for it";
  if (end.node_failed) return "one of its nodes failed";
  if (signal == SIGKILL)
    return "killed by signal 9 (out of memory, somebody's kill -9, or its launcher after another rank had "
           "failed)";
  if (signal != 0) return "killed by " + named(signal);
  if (end.exit_code == 0) return "it ended with status 0 but left no result.json";
  return fmt::format("it ended with status {}{}", end.exit_code, meant_by_shell(end.exit_code));
}

/// The signal that ended the step. A command may return any status; what starts a task's ranks returns
/// 128 + signal for them, as Kernmill's own tasks never do.
int signal_of(const Attempt& attempt, const StepEnd& end) {
  if (end.signal != 0 || runs_command(attempt.stage())) return end.signal;
  const int returned = end.exit_code - 128;
  if (returned > 0 && ::sigabbrev_np(returned) != nullptr) return returned;
  return signal_in_report(attempt.file("out.log"));
}

/// What a task said before something else, as a trace of its stack, hid it.
std::string own_error(const Attempt& attempt) {
  constexpr std::size_t shown = 5, most = 200;
  if (runs_command(attempt.stage())) return "";
  const std::vector<std::string> lines = last_lines(attempt.file("err.log"), most);
  const std::size_t hidden = lines.size() > shown ? lines.size() - shown : 0;
  for (std::size_t at = hidden; at-- > 0;)
    if (lines[at].starts_with("error: ")) return '\n' + lines[at];
  return "";
}

/// What went wrong may not have been told because nothing could be written.
std::string lack_of_room(const Attempt& attempt) {
  const char* const scratch = std::getenv("TMPDIR");
  for (const fs::path& folder : {attempt.directory(), fs::path(scratch == nullptr ? "/tmp" : scratch)})
    if (const std::string why = why_no_room(folder); !why.empty()) return '\n' + why;
  return "";
}

AttemptOutcome crash(const Attempt& attempt, const StepEnd& end) {
  const int signal = signal_of(attempt, end);
  const Cause cause = end.out_of_memory ? Cause::oom : end.node_failed ? Cause::node_fail : Cause::error;
  std::string message = describe_end(end, signal);
  // Hydra 4.0 writes to its proxy when that has ended with the ranks: a few times in a hundred.
  if (!runs_command(attempt.stage()) && end.signal == SIGPIPE)
    message += ", as mpiexec may be when a rank has failed, before it can say how";
  message += own_error(attempt) + tail_of(attempt.file("err.log"), 5);
  if (cause == Cause::error) message += lack_of_room(attempt);
  AttemptOutcome outcome = failure(cause, end, signal, std::move(message));
  if (cause == Cause::node_fail) outcome.node = end.failed_node;
  return outcome;
}

/// What is left of it goes on in a further attempt, if the stage's `retries` allow one.
AttemptOutcome stall(const Attempt& attempt, const StepEnd& end) {
  const fs::path stacks = attempt.file(stacks_file);
  const auto idle = std::chrono::duration_cast<std::chrono::seconds>(end.stalled);
  std::string message =
      fmt::format("no output, metric, checkpoint or processor time for {}", spell_time(idle));
  if (fs::exists(stacks)) message += fmt::format("; where it hung: {}", stacks.string());
  for (const std::string& frames : innermost_frames(stacks)) message += '\n' + frames;
  return failure(Cause::stalled, end, 0, std::move(message));
}

/// An end that is neither a result nor a task's own error.
AttemptOutcome without_result(const Attempt& attempt, const StepEnd& end) {
  if (end.stalled.count() > 0) return stall(attempt, end);
  if (end.near_limit)
    return end.exit_code == exit_stopped && !end.killed
               ? stop(Cause::timeout, end, "its time was running out")
               : failure(Cause::timeout, end, end.killed ? SIGKILL : 0, "it reached its time limit");
  if (end.asked_to_stop && end.out_of_memory) return crash(attempt, end);
  if (end.asked_to_stop) return stop(Cause::cancelled, end, "it was asked to stop");
  if (end.exit_code == exit_stopped) return stop(Cause::preempted, end, "something else asked it to stop");
  return crash(attempt, end);
}

/// What still runs may write into whatever would be committed.
AttemptOutcome stuck(const StepEnd& end) {
  if (end.asked_to_stop && !end.killed) return stop(Cause::cancelled, end, end.still_there);
  return failure(end.near_limit ? Cause::timeout : Cause::node_fail, end, 0, end.still_there);
}

AttemptOutcome outcome_of(const Attempt& attempt, const StepEnd& end) {
  if (!end.still_there.empty()) return stuck(end);
  AttemptOutcome done;
  if (runs_command(attempt.stage())) {
    if (end.exit_code != 0) return without_result(attempt, end);
    done.leavings = command_leavings(attempt);
    return done;
  }
  if (end.stalled.count() > 0 && !fs::exists(attempt.file("result.json"))) return stall(attempt, end);
  if (fs::exists(attempt.file("error.json")))
    return failure(end.out_of_memory ? Cause::oom : Cause::error, end, 0,
                   read_error_file(attempt.file("error.json")));
  if (!fs::exists(attempt.file("result.json"))) return without_result(attempt, end);
  done.leavings = task_leavings(attempt);
  return done;
}

}  // namespace

AttemptOutcome read_outcome(const Attempt& attempt, const StepEnd& end) {
  AttemptOutcome outcome = outcome_of(attempt, end);
  outcome.peak_memory = outcome.leavings.peak_memory = end.peak_memory;
  return outcome;
}

}  // namespace kernmill::exec
