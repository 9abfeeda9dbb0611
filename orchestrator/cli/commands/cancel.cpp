#include <csignal>

#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/cli/arguments.hpp"
#include "kernmill/cli/runs/cluster_run.hpp"
#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/os/process.hpp"
#include "kernmill/run/conductor/conductor_lock.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/journal/open_attempts.hpp"

namespace kernmill::cli {
namespace {

void check_host(const RunDirectory& run, const ProcessIdentity& conductor, const std::string& here) {
  if (conductor.host == here) return;
  throw std::runtime_error(fmt::format("run {} is conducted by process {} on {}; cancel it there", run.name(),
                                       conductor.pid, conductor.host));
}

/// Asks a living conductor to stop, and waits until it has.
void stop_conductor(const ProcessIdentity& conductor, bool force) {
  const FileDescriptor handle(static_cast<int>(syscall(SYS_pidfd_open, conductor.pid, 0)));
  if (!handle || !signal_process(conductor.pid, conductor.start_time, SIGTERM)) return;
  if (force)
    signal_process(conductor.pid, conductor.start_time, SIGINT);  // the second request ends jobs at once
  pollfd ended{handle.get(), POLLIN, 0};
  while (poll(&ended, 1, -1) < 0 && errno == EINTR) {
  }
}

/// Ends what a conductor that is gone left running, and closes the run.
std::size_t settle_dead(const RunDirectory& run, const ProcessIdentity& self, const Hooks& hooks) {
  const ConductorLock lock(run.lock(), self);
  JournalWriter journal(run.journal(), fmt::format("cancel-{}-{}", self.pid, self.start_time), 0, "conductor",
                        hooks.journal);
  std::size_t ended = 0;
  settle_open_attempts(run, journal, self.host, [&](const OpenAttempt&) { ++ended; });
  journal.append(to_record(events::RunFinished{"cancelled"}));
  return ended;
}

void report(const Arguments& arguments, const RunDirectory& run, bool was_running, std::size_t ended,
            const std::string& text) {
  if (arguments.json()) {
    const Json json{
        {"schema_version", 1}, {"run", run.name()}, {"was_running", was_running}, {"ended_attempts", ended}};
    fmt::print("{}\n", json.dump(2));
  } else {
    fmt::print(stderr, "{}\n", text);
  }
}

int cancel(const Command& self, const std::vector<std::string>& words, const Hooks& hooks) {
  boost::program_options::options_description options;
  add_runs_option(options);
  add_flag(options, "force", "end running instances at once: they write no checkpoint");
  Arguments arguments(self, options, {"run"});
  if (!arguments.parse(words)) return exit_done;

  const RunDirectory run = chosen_run(arguments, arguments.text("run"));
  const ProcessIdentity identity = self_identity();
  if (const auto conductor = lock_holder(run.lock())) {
    check_host(run, *conductor, identity.host);
    if (!arguments.json()) fmt::print(stderr, "stopping {} (process {})\n", run.name(), conductor->pid);
    stop_conductor(*conductor, arguments.has("force"));
    report(arguments, run, true, 0, fmt::format("stopped; kernmill resume {} goes on with it", run.name()));
    return exit_done;
  }
  const RunRecord record = fold_journal(run.journal());
  if (record.outcome.empty() && record.scheduler == "slurm") {
    const std::size_t jobs = cancel_jobs(run, require_plan(run), hooks);
    report(arguments, run, true, jobs,
           fmt::format("cancelled {}; kernmill resume {} goes on with it", counted(jobs, "job"), run.name()));
    return exit_done;
  }
  if (!record.outcome.empty() || record.started_at.empty()) {
    report(arguments, run, false, 0, fmt::format("{} is not running: nothing to cancel", run.name()));
    return exit_done;
  }
  const std::size_t ended = settle_dead(run, identity, hooks);
  report(arguments, run, false, ended,
         fmt::format("its conductor was gone; ended what was left of {}", counted(ended, "attempt")));
  return exit_done;
}

}  // namespace

const Command cancel_command{"cancel", "stop a run; it can be resumed", "[RUN] [options]",
                             "  kernmill cancel last\n"
                             "  kernmill cancel last --force\n",
                             cancel};

}  // namespace kernmill::cli
