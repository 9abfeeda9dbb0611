#include "kernmill/exec/closing.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "kernmill/base/exit_status.hpp"
#include "kernmill/exec/attempt/attempt_runner.hpp"
#include "kernmill/exec/growing.hpp"
#include "kernmill/exec/job/job_journal.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/process.hpp"
#include "kernmill/run/bad_nodes/bad_nodes_folder.hpp"
#include "kernmill/run/cache/temporary.hpp"
#include "kernmill/run/directory/plan_file.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/journal/open_attempts.hpp"
#include "kernmill/run/journal/replay.hpp"
#include "kernmill/run/journal/run_view.hpp"
#include "kernmill/run/submit/batch_job.hpp"
#include "kernmill/run/submit/submitted_array.hpp"

namespace kernmill::exec {
namespace {

bool has_newer_generation(const RunRecord& record, unsigned generation) {
  return std::any_of(record.generations.begin(), record.generations.end(), [&](const auto& entry) {
    return entry.first > generation && !entry.second.rolled_back;
  });
}

/// The name of a job, as the journal gives it: "12_3", "12".
std::string name_of(const ClusterJob& job) {
  return job.elements.empty() ? job.id : fmt::format("{}_{}", job.id, job.elements);
}

/// How to name a job to end it: elements that have not started are several.
std::string to_cancel(const ClusterJob& job) {
  const bool several = job.elements.find_first_of(",-") != std::string::npos;
  return several ? fmt::format("{}_[{}]", job.id, job.elements) : name_of(job);
}

/// Why an attempt has ended without a word, by the state of its job.
std::pair<Cause, std::string> end_of(JobState state) {
  if (is_live(state)) return {Cause::cancelled, "its job still ran when the run was closed"};
  const std::string what = fmt::format("its job has ended as {}", to_string(state));
  switch (state) {
    case JobState::cancelled:
      return {Cause::cancelled, what};
    case JobState::timeout:
      return {Cause::timeout, what};
    case JobState::preempted:
      return {Cause::preempted, what};
    case JobState::out_of_memory:
      return {Cause::oom, what};
    default:
      return {Cause::node_fail, what};
  }
}

class Closing {
 public:
  Closing(const RunDirectory& run, const Plan& plan, unsigned generation, JournalWriter& journal, OwnJob& job,
          RetryBudget late_files)
      : run_(run),
        plan_(plan),
        generation_(generation),
        journal_(journal),
        job_(job),
        late_files_(std::move(late_files)) {}

  /// The outcome; empty when a newer generation goes on with the run.
  std::string settle() {
    cancel_what_is_left();
    RunRecord record = read_late_ends();
    if (has_newer_generation(record, generation_)) return {};
    for (const OpenAttempt& open : newest_open_attempts(record)) abandon(open);
    record = fold_journal(run_.journal());
    std::string outcome = outcome_of(record);
    journal_.append(to_record(events::RunFinished{outcome, generation_, life_in(record)}));
    if (outcome == "done") remove_temporary(record);
    if (plan_.workflow().bad_nodes.per_user) tell_of_bad_nodes(record);
    return outcome;
  }

 private:
  /// That its generation was submitted in: whoever resumes the run just now begins the next.
  unsigned life_in(const RunRecord& record) const {
    const auto life = record.lives.find(generation_);
    return life == record.lives.end() ? 0 : life->second;
  }

  void cancel_what_is_left() {
    try {
      for (const ClusterJob& job : job_.cluster().jobs()) {
        const auto identity = identity_in(job.comment);
        if (!identity || identity->run != run_.name()) continue;
        if (identity->key == closing_key && identity->generation >= generation_) continue;
        states_[name_of(job)] = job.state;
        if (is_live(job.state) && identity->generation <= generation_) job_.cancel(to_cancel(job));
      }
    } catch (const ClusterError& error) {
      fmt::print(stderr, "kernmill-exec: cannot look for jobs that are left: {}\n", error.what());
    }
  }

  RunRecord read_late_ends() const {
    return late_files_.until([this] { return fold_journal(run_.journal()); },
                             [](const RunRecord& record) { return newest_open_attempts(record).empty(); });
  }

  /// Later runs of this user are to avoid them.
  void tell_of_bad_nodes(const RunRecord& record) {
    const Environment own = own_environment();
    try {
      known_bad_nodes(run_, plan_.workflow(), record, job_.cluster().facts().name,
                      {.folder = bad_nodes_folder(value_of(own, "XDG_STATE_HOME"), value_of(own, "HOME"))});
    } catch (const ClusterError& error) {
      fmt::print(stderr, "kernmill-exec: other runs are not told of bad nodes: {}\n", error.what());
    }
  }

  void abandon(const OpenAttempt& open) {
    const auto state = states_.find(open.attempt.job);
    const auto [cause, why] = state == states_.end()
                                  ? std::pair{Cause::node_fail, std::string("its job is gone")}
                                  : end_of(state->second);
    journal_.append(to_record(events::Abandoned{
        {open.stage, open.index, open.attempt.number},
        cause,
        why + ", and has left no last word",
        state != states_.end() && state->second == JobState::node_fail ? open.attempt.node : ""}));
  }

  void remove_temporary(const RunRecord& record) const {
    const TemporaryArtifacts temporary(plan_);
    const Replay replay(plan_, record);
    const auto has_settled = [&](InstanceId id) {
      return replay.state(id) == State::finished || replay.state(id) == State::skipped;
    };
    std::map<std::uint32_t, bool> whole;
    const Settled state{has_settled, [&](std::uint32_t stage) {
                          const auto [known, is_new] = whole.try_emplace(stage, true);
                          for (std::uint32_t i = 0; is_new && i < plan_.instance_count(stage); ++i)
                            known->second = known->second && has_settled({stage, i});
                          return known->second;
                        }};
    for (const auto& [key, instance] : record.instances) {
      const InstanceId id{plan_.stage_number(key.first), key.second};
      if (!instance.committed || !temporary.has(id.stage) || !temporary.is_free(id, state)) continue;
      for (const Artifact& artifact : instance.artifacts)
        if (artifact.temp) remove_artifact(artifact);
    }
  }

  std::string outcome_of(RunRecord record) const {
    forget_older_failures(record, plan_, submitted_arrays(plan_, record));
    const Replay replay(plan_, record);
    if (replay.outcome() == PlanOutcome::failed) return "failed";
    bool is_done = true, is_cancelled = false;
    for (std::uint32_t stage = 0; stage < plan_.stage_count(); ++stage) {
      is_done = is_done && !(plan_.undecided(stage) && replay.state_of_undecided(stage) == State::waiting);
      for (std::uint32_t i = 0; i < plan_.instance_count(stage); ++i) {
        const State state = replay.state({stage, i});
        is_done = is_done && state != State::running && state != State::waiting;
        const InstanceRecord* known = record.find(plan_.stage(stage).name, i);
        if (state == State::running && known != nullptr && !known->attempts.empty()) {
          const AttemptRecord& last = known->attempts.back();
          is_cancelled |= (last.state == AttemptState::stopped || last.state == AttemptState::abandoned) &&
                          last.cause == Cause::cancelled;
        }
      }
    }
    return is_done ? "done" : is_cancelled ? "cancelled" : "failed";
  }

  const RunDirectory& run_;
  const Plan& plan_;
  unsigned generation_;
  JournalWriter& journal_;
  OwnJob& job_;
  RetryBudget late_files_;
  std::map<std::string, JobState> states_;  ///< of the run's jobs that are still known, by name
};

}  // namespace

int run_hook(const RunDirectory& run, const Workflow& workflow, const std::string& outcome) {
  const std::string& command = outcome == "done" ? workflow.on_success : workflow.on_failure;
  if (command.empty()) return exit_done;
  SpawnOptions options;
  options.argv = {"/bin/bash", "-e", "-o", "pipefail", "-c", command};
  options.env = step_environment(own_environment(), Resources{});
  set(options.env, "KERNMILL_RUN", run.root().string());
  set(options.env, "KERNMILL_OUTCOME", outcome);
  options.work_dir = workflow.base_directory;
  const int status = reap(spawn(options));
  if (status == 0) return exit_done;
  fmt::print(stderr, "{} of the workflow ended with status {}\n",
             outcome == "done" ? "on_success" : "on_failure", status);
  return exit_failed;
}

int close_run(const Options& options, const RunDirectory& run, const JournalWriter::Hook& hook,
              const ClusterFactory& open_cluster) {
  const Environment environment = own_environment();
  BatchPlace place = batch_place(environment);
  OwnJob job(open_cluster, place.name());
  try {
    if (goes_on(run, options.generation, job, hook)) return exit_done;
  } catch (const std::exception& error) {
    fmt::print(stderr, "kernmill-exec: cannot go on with what has been decided: {}\n", error.what());
  }
  const Plan plan = read_plan_file(run).plan;
  const auto journal = job_journal(run, place, options.generation, "close", hook);
  const RetryBudget late_files{std::chrono::seconds(number_of(environment, "KERNMILL_FILE_PATIENCE", 10)),
                               [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }};
  const std::string outcome = Closing(run, plan, options.generation, *journal, job, late_files).settle();
  if (outcome.empty()) return exit_done;
  keep_snapshot(run.journal(), Worth::grown);
  const int status = run_hook(run, plan.workflow(), outcome);
  return outcome == "done" ? status : exit_failed;
}

}  // namespace kernmill::exec
