#include "kernmill/exec/element/slurm_attempt.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/exit_status.hpp"
#include "kernmill/exec/element/node_failures.hpp"
#include "kernmill/plan/retry_policy.hpp"
#include "kernmill/run/journal/open_attempts.hpp"
#include "kernmill/workflow/value/units.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

EarlierTries earlier_tries(const RunRecord& record, const ElementContext& context, InstanceId id) {
  EarlierTries tries;
  const InstanceRecord* own = record.find(context.plan.stage(id.stage).name, id.index);
  if (own == nullptr) return tries;
  for (const AttemptRecord& attempt : own->attempts) {
    const bool retried = attempt.state == AttemptState::retrying;
    if (!retried || attempt.number < context.array.plan.attempt || attempt.number >= context.attempt())
      continue;
    tries.failures += attempt.counts ? 1 : 0;
    tries.mem_factor = attempt.mem_factor;
    tries.time_factor = attempt.time_factor;
  }
  return tries;
}

/// One instance, one attempt.
class SlurmAttempt {
 public:
  SlurmAttempt(const ElementContext& context, InstanceId id, JournalWriter& writer, StopRequests& stop)
      : context_(context),
        id_(id),
        name_{context.plan.stage(id.stage).name, id.index, context.attempt()},
        writer_(writer),
        journal_(writer, name_),
        stop_(stop) {}

  int carry_out() {
    const Look look = look_at_parents(context_, id_);
    if (look.what != Look::What::run) {
      fmt::print(stderr, "kernmill-exec: {} does not run: {}\n", context_.plan.label(id_), look.why);
      return look.what == Look::What::blocked ? exit_failed : exit_done;
    }
    tries_ = earlier_tries(look.record, context_, id_);
    settle_lost_attempt(context_, id_, look.record, writer_);
    try {
      if (const auto closed = gate(look.record)) return *closed;
      return attempt(look.record);
    } catch (const std::exception& error) {
      AttemptOutcome outcome;
      outcome.what = AttemptOutcome::What::failed;
      outcome.message = error.what();
      return give_up(outcome);
    }
  }

 private:
  std::optional<int> gate(const RunRecord& record) {
    const CommitTable commits = commits_in(context_.plan, record);
    const std::string& when = context_.plan.stage(id_.stage).when;
    try {
      if (when_is_true(context_.plan, id_, commits)) return {};
    } catch (const ExpressionError& error) {
      throw AttemptError(fmt::format("when: {}: {}", when, error.message));
    }
    journal_.skipped(why_false(context_.plan, id_, commits));
    draw_consequences(context_, writer_, {id_}, false);
    return exit_done;
  }

  int attempt(const RunRecord& record) {
    journal_.started(context_.batch.job.name(), context_.batch.place.only_node());
    const Attempt attempt = make_attempt(context_.run, context_.plan, name_, record);
    check_fence(attempt, own_records());
    mark_ = checkpoint_mark(checkpoints());
    context_.batch.told_to_end = [this] { leave_last_word(); };
    AttemptRunner runner(given(), stop_, journal_);
    const auto outcome = runner.run(attempt);
    if (outcome && outcome->what != AttemptOutcome::What::done) return give_up(*outcome);
    if (outcome) runner.commit(attempt, outcome->leavings, [this] { return own_records(); });
    draw_consequences(context_, writer_, {id_}, false);
    return exit_done;
  }

  [[nodiscard]] AttemptRunner::Given given() const {
    AttemptRunner::Given given{context_.environment};
    given.launcher = context_.launcher;
    given.token = attempt_token(context_.run, name_.stage, name_.instance, name_.number);
    given.no_cache = context_.no_cache;
    given.batch = &context_.batch;
    return given;
  }

  /// The batch system kills this process soon: what is known is journalled now. A better word may follow.
  void leave_last_word() {
    AttemptOutcome outcome;
    outcome.what = AttemptOutcome::What::stopped;
    outcome.cause = Cause::cancelled;
    outcome.message = "it was asked to stop";
    ask_what_stopped_it(outcome);
    if (outcome.what == AttemptOutcome::What::stopped) journal_stop(outcome);
  }

  void journal_stop(const AttemptOutcome& outcome) {
    if (last_word_ == outcome.cause) return;
    last_word_ = outcome.cause;
    if (outcome.cause == Cause::preempted)
      journal_.retrying(outcome, {Retry::What::again, false, tries_.mem_factor, tries_.time_factor});
    else
      journal_.gave_up(outcome);
  }

  int give_up(AttemptOutcome outcome) {
    if (outcome.cause == Cause::node_fail && outcome.node.empty())
      outcome.node = context_.batch.place.only_node();
    if (newer_attempt(own_records(),
                      name_)) {  // its job is another's by now: not to be requeued, and nothing follows
      journal_.gave_up(outcome);
      return exit_failed;
    }
    const bool back_in_queue = ask_what_stopped_it(outcome);
    const auto how = outcome.what == AttemptOutcome::What::stopped ? Ended::How::stopped : Ended::How::failed;
    const Ended ended{how, outcome.cause, checkpoint_mark(checkpoints()) != mark_};
    const Retry retry = retry_after(context_.plan.stage(id_.stage).retries, tries_, ended);
    const bool gives_way = back_in_queue && outcome.cause == Cause::preempted;
    if (retry.what == Retry::What::give_way || gives_way) {
      journal_stop(outcome);
      return exit_stopped;
    }
    if (retry.what == Retry::What::again) {
      journal_.retrying(outcome, retry);
      if (back_in_queue || context_.batch.job.requeue(context_.requeue)) {
        context_.batch.job.change(changes(retry, outcome.cause), context_.requeue);
        return exit_stopped;
      }
      outcome.message += "\nit was to be tried again, but the batch system did not take it back";
    }
    outcome.what = AttemptOutcome::What::failed;
    journal_.gave_up(outcome);
    draw_consequences(context_, writer_, {id_}, true);
    return exit_failed;
  }

  /// Who told an attempt to end shows in the state of its job. The batch system signals the whole job: the
  /// step may have ended of that before this process has heard it. True when the job has been put back into
  /// the queue.
  bool ask_what_stopped_it(AttemptOutcome& outcome) {
    const bool told = stop_.asked() && stop_.told_to_end();
    const bool was_killed = outcome.what == AttemptOutcome::What::failed && outcome.cause == Cause::error &&
                            (outcome.signal == SIGTERM || outcome.signal == SIGKILL);
    if (!told && !was_killed) return false;
    const auto job = context_.batch.job.look();
    if (!job) return false;
    const JobState state = job->state == JobState::completing ? job->next_state : job->state;
    if (state == JobState::running) return false;
    const bool was_stopped =
        was_killed || (outcome.what == AttemptOutcome::What::stopped && outcome.cause == Cause::cancelled);
    if (was_stopped) take_for_stopped(outcome, state);
    return state == JobState::pending;
  }

  static void take_for_stopped(AttemptOutcome& outcome, JobState state) {
    outcome.what = AttemptOutcome::What::stopped;
    outcome.cause = Cause::cancelled;
    if (state == JobState::pending || state == JobState::preempted) {
      outcome.cause = Cause::preempted;
      outcome.message = "its job was preempted or requeued";
    } else if (state == JobState::timeout || state == JobState::node_fail) {
      outcome.what = AttemptOutcome::What::failed;
      outcome.cause = state == JobState::timeout ? Cause::timeout : Cause::node_fail;
    }
  }

  /// What the next start of the job gets, where that differs from this one.
  [[nodiscard]] BatchJob::Options changes(const Retry& retry, Cause cause) const {
    BatchJob::Options options;
    const BatchPlace& place = context_.batch.place;
    const Resources& planned = context_.array.plan.resources;
    if (const double factor = retry.mem_factor / tries_.mem_factor; factor != 1.0) {
      const bool by_cpu = place.mem == 0 && place.mem_per_cpu > 0;
      const auto now = static_cast<double>(by_cpu ? place.mem_per_cpu : place.mem);
      if (now > 0)
        options.emplace_back(by_cpu ? "mem-per-cpu" : "mem",
                             sbatch_memory(static_cast<std::uint64_t>(std::ceil(now * factor))));
    }
    if (retry.time_factor != tries_.time_factor && planned.time.count() > 0)
      options.emplace_back(
          "time", sbatch_time(std::chrono::ceil<std::chrono::seconds>(planned.time * retry.time_factor)));
    if (const std::string exclude = nodes_to_avoid(context_, id_, cause); exclude != planned.exclude)
      options.emplace_back("exclude", exclude);
    return options;
  }

  [[nodiscard]] fs::path checkpoints() const { return context_.run.checkpoints(name_.stage, name_.instance); }

  [[nodiscard]] RunRecord own_records() const {
    JournalSelection own;
    own.add_instance(context_.plan, context_.arrays, id_);
    return context_.journal_of(own);
  }

  const ElementContext& context_;
  InstanceId id_;
  AttemptName name_;
  JournalWriter& writer_;
  AttemptJournal journal_;
  StopRequests& stop_;
  EarlierTries tries_;
  std::optional<Cause> last_word_;  ///< of a stop that has been journalled
  std::string mark_;
};

}  // namespace

int run_slurm_attempt(const ElementContext& context, InstanceId id, JournalWriter& journal,
                      StopRequests& stop) {
  return SlurmAttempt(context, id, journal, stop).carry_out();
}

}  // namespace kernmill::exec
