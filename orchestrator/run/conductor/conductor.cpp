#include "kernmill/run/conductor/conductor.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "kernmill/base/last_lines.hpp"
#include "kernmill/os/room.hpp"

namespace kernmill {

std::string_view to_string(RunOutcome outcome) {
  switch (outcome) {
    case RunOutcome::done:
      return "done";
    case RunOutcome::failed:
      return "failed";
    case RunOutcome::interrupted:
      return "interrupted";
    case RunOutcome::cancelled:
      return "cancelled";
  }
  return "";
}

namespace {

constexpr std::chrono::milliseconds look_interval{200};  // at the journal of packs

}  // namespace

Conductor::Conductor(const RunDirectory& run, const Plan& plan, Scheduler& scheduler, JournalWriter& journal,
                     Output& output, ConductorPorts ports, ConductorOptions options)
    : run_(run),
      plan_(plan),
      scheduler_(scheduler),
      journal_(journal),
      output_(output),
      ports_(std::move(ports)),
      options_(std::move(options)),
      progress_(plan, {.fail_fast = options_.fail_fast}),
      commits_(plan),
      temporary_(plan),
      gated_children_(plan.stage_count()),
      packing_(plan.stage_count()) {
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage) {
    if (ports_.packing) packing_[stage] = ports_.packing(stage);
    if (plan.stage(stage).when.empty()) continue;
    for (const Edge& edge : plan.parents(stage)) gated_children_[edge.stage].emplace_back(stage, edge.kind);
  }
}

void Conductor::restore(const RunRecord& record) {
  resumed_ = true;
  life_ = record.life + 1;
  commits_ = commits_in(plan_, record);
  for (const auto& [key, instance] : record.instances) {
    const InstanceId id{plan_.stage_number(key.first), key.second};
    tries(id).attempts = instance.handed_out;
    if (!instance.attempts.empty()) {
      tries(id).attempts = std::max(instance.handed_out, instance.attempts.back().number);
      for (const AttemptRecord& attempt : instance.attempts)
        if (attempt.started) tries(id).started = attempt.number;
      tries(id).again = "the run was resumed";
    }
    if (instance.committed) {
      progress_.restore(id, State::finished);
    } else if (instance.skipped) {
      progress_.restore(id, State::skipped);
    }
  }
}

RunResult Conductor::run(const ProcessIdentity& self) {
  const auto begun = ports_.now();
  journal_.append(to_record(events::RunStarted{self, resumed_, {}, life_}));
  output_.begin(run_, plan_, progress_, resumed_);
  try {
    loop();
  } catch (...) {
    end_all_jobs();
    throw;
  }
  const RunResult result{run_outcome(), ports_.now() - begun};
  if (result.outcome == RunOutcome::done) remove_temporary_at_end();
  journal_.append(to_record(events::RunFinished{std::string(to_string(result.outcome)), {}, life_}));
  output_.end(result);
  return result;
}

void Conductor::loop() {
  grow();
  for (std::uint32_t stage = 0; stage < plan_.stage_count(); ++stage) settle_gates(stage);
  while (true) {
    start_what_fits();
    if (is_idle()) return;
    auto patience = output_.tick_interval();
    if (!packs_.empty()) patience = std::min(patience.value_or(look_interval), look_interval);
    const auto ends = scheduler_.wait(patience, ports_.stop_fd);
    take_stop_requests();
    read_packs();
    for (const JobEnd& end : ends) job_ended(end);
    output_.tick();
  }
}

void Conductor::start_what_fits() {
  while (true) {
    take_stop_requests();
    if (stop_requests_ > 0) return;
    const auto id = progress_.take_ready();
    if (!id) return;
    if (!start(*id)) {
      progress_.put_back(*id);
      return;
    }
  }
}

bool Conductor::start(InstanceId id) {
  if (fails_for_its_list(id) || !passes_gate(id)) return true;
  if (packing_[id.stage].pack > 1 && !plan_.is_reduce(id)) return start_pack(id, packing_[id.stage]);
  if (take_from_cache(id)) return true;
  if (!scheduler_.has_room(ports_.job_size(id, tries(id).scale))) return false;
  const unsigned attempt = tries(id).attempts + 1;
  const JobId job =
      fmt::format("{}.{}.{}-{}", plan_.stage(id.stage).name, id.index, attempt, options_.session);
  std::string known = handover(plan_, {id}, commits_);
  if (tries(id).started > 0) known += handover_of_start(plan_, id, tries(id).started);
  submit(id, attempt, job, ports_.job_spec({id, attempt, job, tries(id).scale, std::move(known)}));
  return true;
}

std::string Conductor::why_it_runs(InstanceId id) {
  if (!tries(id).again.empty()) return tries(id).again;
  const auto looked_up = not_in_cache_.find(id);
  return looked_up == not_in_cache_.end() ? std::string{} : looked_up->second;
}

void Conductor::submit(InstanceId id, unsigned attempt, const JobId& job, const JobSpec& spec) {
  const std::string why = why_it_runs(id);
  not_in_cache_.erase(id);
  tries(id).attempts = attempt;
  journal_.append(to_record(events::Submitted{subject(id, attempt), job, why}));
  Attempt begun{id, attempt, ports_.now(), ports_.checkpoint_mark(id)};
  scheduler_.submit(job, spec);
  output_.instance(event(InstanceEvent::What::started, begun));
  running_.emplace(job, std::move(begun));
}

bool Conductor::take_from_cache(InstanceId id) {
  if (!ports_.from_cache || not_in_cache_.contains(id) || tries(id).attempts > 0) return false;
  const Attempt attempt{id, tries(id).attempts + 1, ports_.now(), {}};
  const CacheAnswer answer = ports_.from_cache(id, attempt.number, commits_);
  if (!answer.committed) {
    not_in_cache_.emplace(id, answer.why_not);
    return false;
  }
  journal_.append(to_record(events::Committed{subject(id, attempt.number), *answer.committed}));
  if (answer.after_commit) answer.after_commit();
  tries(id).attempts = attempt.number;
  committed(attempt, *answer.committed);
  return true;
}

void Conductor::job_ended(const JobEnd& end) {
  const auto found = running_.find(end.job);
  if (found == running_.end()) return pack_ended(end);
  const Attempt attempt = std::move(found->second);
  running_.erase(found);
  const auto records = ports_.job_records(end.job);
  if (!records.empty()) tries(attempt.id).started = attempt.number;
  settle(attempt, outcome_of(records), end);
  if (ports_.put_away) ports_.put_away(end.job);
}

void Conductor::settle(const Attempt& attempt, const JobOutcome& outcome, const JobEnd& end) {
  switch (outcome.what) {
    case JobOutcome::What::committed:
      return committed(attempt, outcome.result);
    case JobOutcome::What::failed:
      return failed(attempt, outcome);
    case JobOutcome::What::stopped:
      return stopped(attempt, outcome);
    case JobOutcome::What::none:
      return vanished(attempt, end);
  }
}

void Conductor::committed(const Attempt& attempt, const CommittedResult& result) {
  commits_.add(attempt.id, result.left);
  progress_.finished(attempt.id);
  const bool cached = !result.cached_from.empty();
  InstanceEvent told = event(cached ? InstanceEvent::What::cached : InstanceEvent::What::committed, attempt);
  told.metrics = result.left.metrics;
  output_.instance(told);
  grow();
  settle_gates_behind(attempt.id);
  remove_temporary_behind(attempt.id);
}

void Conductor::stopped(const Attempt& attempt, const JobOutcome& outcome) {
  if (stop_requests_ == 0) return failed(attempt, outcome);
  progress_.put_back(attempt.id);
  InstanceEvent told = event(InstanceEvent::What::stopped, attempt);
  told.cause = outcome.cause;
  output_.instance(told);
}

void Conductor::failed(const Attempt& attempt, const JobOutcome& outcome) {
  const bool stopped_by_us = stop_requests_ > 0 && outcome.cause == Cause::cancelled;
  if (stopped_by_us) {
    progress_.put_back(attempt.id);
    return output_.instance(event(InstanceEvent::What::stopped, attempt));
  }
  const Retry retry = what_follows(attempt, outcome);
  const bool again = progress_.failed(attempt.id, retry.what != Retry::What::none);
  tell(!again         ? InstanceEvent::What::failed
       : retry.counts ? InstanceEvent::What::retrying
                      : InstanceEvent::What::continued,
       attempt, outcome);
}

void Conductor::tell(InstanceEvent::What what, const Attempt& attempt, const JobOutcome& outcome) {
  InstanceEvent told = event(what, attempt);
  told.cause = outcome.cause;
  told.exit_code = outcome.exit_code;
  told.message = outcome.message;
  output_.instance(told);
}

/// What kernmill-exec has said on its stderr, where it could not journal it.
std::string Conductor::last_words(const Attempt& attempt) const {
  constexpr const char* name = "kernmill-exec: ";
  const auto directory = run_.attempt(plan_.stage(attempt.id.stage).name, attempt.id.index, attempt.number);
  const std::vector<std::string> lines = last_lines(directory / "exec.log", 1);
  return lines.empty() || !lines.back().starts_with(name) ? ""
                                                          : ": " + lines.back().substr(std::strlen(name));
}

// kernmill-exec is gone without a last word: it was killed, or could not start. What it launched may live on.
void Conductor::vanished(const Attempt& attempt, const JobEnd& end) {
  ports_.end_leftovers(attempt.id, attempt.number);
  JobOutcome outcome;
  outcome.what = JobOutcome::What::failed;
  outcome.cause = stop_requests_ > 0 ? Cause::cancelled : Cause::node_fail;
  outcome.exit_code = end.exit_code;
  outcome.message =
      end.exit_code > 128
          ? fmt::format("its job was ended by signal {} ({})", end.exit_code - 128,
                        sigdescr_np(end.exit_code - 128) ? sigdescr_np(end.exit_code - 128) : "?")
          : fmt::format("its job ended with status {} and left no record", end.exit_code);
  outcome.message += last_words(attempt);
  if (looked_for_room_at_ != end.job) {  // of a pack that is gone: once for all of its instances
    looked_for_room_at_ = end.job;
    no_room_ = why_no_room(run_.root());
  }
  if (!no_room_.empty()) outcome.message += ": " + no_room_;
  journal_.append(
      to_record(events::Abandoned{subject(attempt.id, attempt.number), outcome.cause, outcome.message}));
  failed(attempt, outcome);
}

// No batch system preempts here: a stop that nobody asked for and that left no checkpoint is a failure.
Retry Conductor::what_follows(const Attempt& attempt, const JobOutcome& outcome) {
  if (stop_requests_ > 0) return {Retry::What::none};
  const bool new_checkpoint = ports_.checkpoint_mark(attempt.id) != attempt.checkpoint_mark;
  const bool stopped = outcome.what == JobOutcome::What::stopped && new_checkpoint;
  Tries& so_far = tries(attempt.id);
  const Retry retry = retry_after(
      plan_.stage(attempt.id.stage).retries, {so_far.failures, so_far.scale.mem, so_far.scale.time},
      {stopped ? Ended::How::stopped : Ended::How::failed, outcome.cause, new_checkpoint});
  if (retry.what != Retry::What::again) return retry;
  so_far.failures += retry.counts ? 1 : 0;
  so_far.again =
      fmt::format("{} after {}", retry.counts ? "tried again" : "continued", to_string(outcome.cause));
  so_far.scale = {retry.mem_factor, retry.time_factor};
  return retry;
}

void Conductor::take_stop_requests() {
  if (!ports_.next_stop) return;
  while (const auto signal = ports_.next_stop()) {
    ++stop_requests_;
    if (*signal == SIGTERM) cancelled_ = true;
    const bool force = stop_requests_ > 1;
    for (const auto& [job, attempt] : running_) scheduler_.cancel(job, force);
    for (const auto& [job, pack] : packs_) scheduler_.cancel(job, force);
    output_.stopping(force, running_instances());
  }
}

void Conductor::end_all_jobs() {
  for (const auto& [job, attempt] : running_) scheduler_.cancel(job, /*force=*/true);
  for (const auto& [job, pack] : packs_) scheduler_.cancel(job, /*force=*/true);
  while (!is_idle())
    for (const JobEnd& end : scheduler_.wait(std::nullopt, -1))
      if (running_.erase(end.job) == 0) packs_.erase(end.job);
}

std::size_t Conductor::running_instances() const {
  std::size_t count = running_.size();
  for (const auto& [job, pack] : packs_)
    count += static_cast<std::size_t>(std::count_if(pack.open.begin(), pack.open.end(),
                                                    [](const auto& open) { return open.second.has_begun; }));
  return count;
}

RunOutcome Conductor::run_outcome() const {
  if (stop_requests_ > 0 && !progress_.complete())
    return cancelled_ ? RunOutcome::cancelled : RunOutcome::interrupted;
  return progress_.outcome() == PlanOutcome::done ? RunOutcome::done : RunOutcome::failed;
}

events::Subject Conductor::subject(InstanceId id, unsigned attempt) const {
  return {plan_.stage(id.stage).name, id.index, attempt};
}

InstanceEvent Conductor::event(InstanceEvent::What what, const Attempt& attempt) const {
  InstanceEvent told;
  told.what = what;
  told.id = attempt.id;
  told.attempt = attempt.number;
  told.took = ports_.now() - attempt.started;
  return told;
}

}  // namespace kernmill
