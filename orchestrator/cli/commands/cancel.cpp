#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/base/shell_word.hpp"
#include "kernmill/cli/arguments.hpp"
#include "kernmill/cli/runs/acting.hpp"
#include "kernmill/cli/runs/audited.hpp"
#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/os/process.hpp"
#include "kernmill/run/conductor/conductor_lock.hpp"
#include "kernmill/run/conductor/conductor_process.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/journal/open_attempts.hpp"
#include "kernmill/run/submit/cancellation.hpp"
#include "kernmill/run/submit/generation.hpp"
#include "kernmill/scheduler/cluster_loader.hpp"

namespace kernmill::cli {
namespace {

void check_host(const RunDirectory& run, const ProcessIdentity& conductor, const std::string& here) {
  if (conductor.host == here) return;
  throw std::runtime_error(fmt::format("run {} is conducted by process {} on {}; cancel it there", run.name(),
                                       conductor.pid, conductor.host));
}

/// Asks a living conductor to stop, and waits until it has. Throws when the process that the lock names is
/// not what holds it: nothing is signalled on the word of a file.
void stop_conductor(const RunDirectory& run, const ProcessIdentity& named, bool force) {
  const auto conductor = ConductorProcess::proved(run.lock(), named);
  if (!conductor) {
    const auto now = lock_holder(run.lock());
    if (!now || now->pid != named.pid) return;  // it has ended just now
    throw std::runtime_error(
        fmt::format("{} names process {}, which does not hold it: that process was left alone; look for the "
                    "conductor of {} with: fuser -v {}",
                    run.lock().string(), named.pid, run.name(), word_for_shell(run.lock().string())));
  }
  conductor->signal(SIGTERM);
  if (force) conductor->signal(SIGINT);  // the second request ends jobs at once
  conductor->wait();
}

/// Of a lock that somebody has who does not say who he is: he was just about to, or never will.
class NamelessHolder {
 public:
  void seen(const RunDirectory& run) {
    const auto now = std::chrono::steady_clock::now();
    if (!since_) since_ = now;
    if (now - *since_ > patience)
      throw std::runtime_error(
          fmt::format("{} is held by a process that does not say which; look for it with: fuser -v {}",
                      run.lock().string(), word_for_shell(run.lock().string())));
  }
  void gone() { since_.reset(); }

 private:
  static constexpr std::chrono::seconds patience{10};
  std::optional<std::chrono::steady_clock::time_point> since_;
};

/// The run's lock, once whoever has it has made room: a conductor is asked to stop, whoever submits hears of
/// the wish, and another cancel is let finish.
std::unique_ptr<ConductorLock> free_lock(const RunDirectory& run, const ProcessIdentity& self,
                                         const Arguments& arguments) {
  constexpr std::chrono::milliseconds between_looks(50);
  int told = 0;
  NamelessHolder nameless;
  for (;;) {
    try {
      return std::make_unique<ConductorLock>(run.lock(), self, ConductorLock::Purpose::settle);
    } catch (const RunIsLocked&) {  // somebody has it: see who
    }
    const auto holder = lock_holder(run.lock());
    if (holder && holder->purpose == ConductorLock::Purpose::conduct) check_host(run, *holder, self.host);
    if (holder && holder->pid != told && !arguments.json())
      fmt::print(stderr, "stopping {} (process {})\n", run.name(), holder->pid);
    if (holder) told = holder->pid;
    holder ? nameless.gone() : nameless.seen(run);
    if (holder && holder->purpose == ConductorLock::Purpose::conduct)
      stop_conductor(run, *holder, arguments.has("force"));
    else
      wish_to_cancel(run);
    std::this_thread::sleep_for(between_looks);
  }
}

/// Ends what a conductor that is gone left running, and closes the run. The caller holds the lock.
std::size_t settle_dead(const RunDirectory& run, const ProcessIdentity& self, JournalWriter& journal) {
  std::size_t ended = 0;
  const RunRecord record =
      settle_open_attempts(run, journal, self.host, [&](const OpenAttempt&) { ++ended; });
  journal.append(to_record(events::RunFinished{"cancelled", {}, record.life}));
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

/// Of a run that was submitted: ends its jobs, and says so once the cluster does.
int cancel_on_cluster(const RunDirectory& run, JournalWriter& journal, bool was_conducted,
                      const Arguments& arguments) {
  const auto cluster = open_slurm();
  const CancellationOptions options{
      .patience = std::chrono::seconds(arguments.number("patience").value_or(300)),
      .pause = [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }};
  const bool was_open = fold_journal(run.journal()).outcome.empty();
  const Cancellation done = cancel_jobs(run, *cluster, journal, options);
  if (!done.still_ending.empty())
    throw std::runtime_error(
        fmt::format("{} of {} {} told to end, and {} not ended yet: {}; kernmill cancel {} looks again",
                    counted(done.jobs, "job"), run.name(), done.jobs == 1 ? "was" : "were",
                    done.jobs == 1 ? "has" : "have", fmt::join(done.still_ending, " "), run.name()));
  if (done.jobs == 0 && !was_open && !was_conducted)
    report(arguments, run, false, 0, fmt::format("{} is not running: nothing to cancel", run.name()));
  else
    report(arguments, run, true, done.jobs,
           fmt::format("stopped: {} ended; kernmill resume {} goes on with it", counted(done.jobs, "job"),
                       run.name()));
  return exit_done;
}

int cancel(const Command& self, const std::vector<std::string>& words, const Hooks& hooks) {
  boost::program_options::options_description options;
  add_runs_option(options);
  add_acting_options(options);
  add_flag(options, "force", "end running instances at once: they write no checkpoint");
  add_number(options, "patience", "SECONDS",
             "how long to wait for the jobs of a cluster to end (default 300)");
  Arguments arguments(self, options, {"run"});
  if (!arguments.parse(words)) return exit_done;

  const RunDirectory run = run_to_act_on(arguments, arguments.text("run"));
  audit(run, self.name, arguments);
  const ProcessIdentity identity = self_identity();
  const bool was_conducted = lock_holder(run.lock()).has_value();
  const auto lock = free_lock(run, identity, arguments);
  const RunRecord record = fold_journal(run.journal());
  const bool is_submitted = was_submitted(run, record);
  if (!is_submitted && (!record.outcome.empty() || record.started_at.empty())) {
    report(arguments, run, was_conducted, 0,
           was_conducted ? fmt::format("stopped; kernmill resume {} goes on with it", run.name())
                         : fmt::format("{} is not running: nothing to cancel", run.name()));
    return exit_done;
  }
  JournalWriter journal(run.journal(), fmt::format("cancel-{}-{}", identity.pid, identity.start_time), 0,
                        record.scheduler.empty() ? "conductor" : "submit", hooks.journal);
  if (is_submitted) return cancel_on_cluster(run, journal, was_conducted, arguments);
  const std::size_t ended = settle_dead(run, identity, journal);
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
