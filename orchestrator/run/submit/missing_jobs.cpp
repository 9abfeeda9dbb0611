#include "kernmill/run/submit/missing_jobs.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/run/cache/lost_results.hpp"
#include "kernmill/run/cluster_check/cluster_capacity.hpp"
#include "kernmill/run/growth/growth.hpp"
#include "kernmill/run/journal/commit_table.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/journal/open_attempts.hpp"
#include "kernmill/run/journal/replay.hpp"
#include "kernmill/run/submit/cancellation.hpp"
#include "kernmill/run/submit/cluster_view.hpp"
#include "kernmill/run/submit/generation.hpp"
#include "kernmill/run/submit/settling.hpp"
#include "kernmill/run/submit/submitted_array.hpp"
#include "kernmill/run/submit/withdrawal.hpp"

namespace kernmill {
namespace {

/// Numbers attempts on: above those that the journal has a record of, and above those that a pack may have
/// begun without one, since its records become durable a little later.
class NextAttempt {
 public:
  NextAttempt(const RunDirectory& run, const Plan& plan, const RunRecord& record)
      : plan_(plan), record_(record), begun_(run.journal()), packed_(plan.stage_count()) {
    for (SubmittedArray& array : submitted_arrays(plan, record))
      if (array.plan.pack > 1 && !array.job.empty()) packed_[array.plan.stage].push_back(std::move(array));
  }

  unsigned operator()(InstanceId id) const {
    const InstanceRecord* known = record_.find(plan_.stage(id.stage).name, id.index);
    unsigned next = known == nullptr || known->attempts.empty() ? 1 : known->attempts.back().number + 1;
    for (const SubmittedArray& array : packed_[id.stage]) {
      if (!array.plan.instances.contains(id.index)) continue;
      const std::string job = array.job_of(array.plan.element_of(id.index));
      if (const unsigned starts = begun_.starts(job, array.generation); starts > 0)
        next = std::max(next, array.plan.attempt + starts);
    }
    return next;
  }

 private:
  const Plan& plan_;
  const RunRecord& record_;
  BegunJobs begun_;
  std::vector<std::vector<SubmittedArray>> packed_;  ///< by stage
};

class MissingJobs {
 public:
  MissingJobs(const RunDirectory& run, const Plan& plan, Cluster& cluster, const MissingJobsOptions& options)
      : run_(run), plan_(plan), cluster_(cluster), options_(options) {}

  std::optional<SubmittedJobs> submit(const ClusterFacts& facts, std::unique_ptr<ConductorLock> lock) {
    const ProcessIdentity self = self_identity();
    if (!lock) lock = std::make_unique<ConductorLock>(run_.lock(), self, ConductorLock::Purpose::settle);
    if (!options_.growing) forget_wish(run_);
    RunRecord record = fold_journal(run_.journal());
    auto jobs = options_.resumed ? cluster_.jobs() : std::vector<ClusterJob>{};
    const unsigned generation = next_generation(run_, record, jobs);
    const auto journal = submission_journal(run_, generation, options_.hook);
    for (const std::string& line :
         settle_submissions(run_, record, cluster_, jobs, *journal, options_.submission))
      options_.tell(line);
    if (!options_.growing) make_ready(record, jobs, *journal);
    record = take_what_is_there(*journal);
    const ClusterView view(run_, plan_, record, jobs);

    SubmittedJobs made{missing_arrays(record, view, facts), {}};
    growth_ = missing_growth_jobs(made.arrays, view);
    if (made.arrays.empty() && growth_.empty() && (options_.growing || !view.closing_jobs().empty())) {
      end_older(view.superseded_closing_jobs());
      return {};
    }
    const auto bad = known_bad_nodes(run_, plan_.workflow(), record, facts.name, options_.bad_nodes);
    for (const std::string& line : avoid_in(made.arrays, bad, plan_, facts)) options_.tell(line);
    journal->append(
        to_record(events::RunStarted{self, options_.resumed, "slurm", record.life + 1, generation}));
    made.submission =
        submit_jobs(context(generation, view), plan_, made.arrays, cluster_, *journal, submission_options());
    end_older(view.closing_jobs());
    end_older(replaced_growth_jobs(view));
    return made;
  }

 private:
  /// What an earlier life has left is not taken for what it seems to be.
  void make_ready(RunRecord& record, std::vector<ClusterJob>& jobs, JournalWriter& journal) {
    if (options_.resumed) give_up_lost(record, journal);
    withdraw(record, jobs);
    abandon_lost(record, ClusterView(run_, plan_, record, jobs), journal);
  }

  /// Ready results, and what they let the plan grow by, until there is no more.
  RunRecord take_what_is_there(JournalWriter& journal) {
    for (;;) {
      RunRecord record = options_.take_ready_results(plan_, fold_journal(run_.journal()), journal);
      const CommitTable commits = commits_in(plan_, record);
      auto growth = grow_run(run_, plan_, [&](InstanceId id) { return commits.result(id); });
      if (!growth) return record;
      plan_ = std::move(growth->plan);
      for (const std::uint32_t stage : growth->stages) fail_for_its_list(stage, record, journal);
    }
  }

  void fail_for_its_list(std::uint32_t stage, const RunRecord& record, JournalWriter& journal) const {
    const std::string& problem = plan_.stage(stage).matrix.problem;
    if (problem.empty()) return;
    const InstanceRecord* known = record.find(plan_.stage(stage).name, 0);
    const unsigned attempt =
        known == nullptr || known->attempts.empty() ? 1 : known->attempts.back().number + 1;
    journal.append(to_record(
        events::Failed{{plan_.stage(stage).name, 0, attempt}, {.cause = Cause::error, .message = problem}}));
    options_.tell(fmt::format("{}: {}", plan_.stage(stage).name, problem));
  }

  /// Whoever waits to cancel the run wants it soon.
  SubmissionOptions submission_options() const {
    SubmissionOptions options = options_.submission;
    if (!options.cancelled) options.cancelled = [this] { return is_cancel_wished(run_); };
    return options;
  }

  /// First of all: what waits in the queue for a result that is lost waits for a job that is gone.
  void give_up_lost(RunRecord& record, JournalWriter& journal) const {
    DigestStore digests(run_.root().parent_path());
    for (const std::string& line : to_lines(give_up_lost_results(record, digests, journal, &plan_), plan_))
      options_.tell(line);
  }

  /// Takes out of the queue what waits for jobs that are gone.
  void withdraw(const RunRecord& record, std::vector<ClusterJob>& jobs) {
    if (live_jobs(run_, jobs).empty()) return;
    const Replay replay(plan_, record);
    Withdrawal all =
        withdrawal(run_, plan_, record, jobs, [&](InstanceId id) { return needs_run(replay, id); });
    for (const std::string& job : all.jobs) cluster_.cancel(job);
    if (!all.jobs.empty())
      options_.tell(
          fmt::format("submits anew what waited for jobs that are gone: {}", fmt::join(all.jobs, " ")));
    jobs = std::move(all.left);
  }

  static bool needs_run(const Replay& replay, InstanceId id) {
    const State state = replay.state(id);
    return state != State::finished && state != State::skipped;
  }

  /// Attempts that have begun, have no end record, and whose job is gone: nobody will end them.
  void abandon_lost(const RunRecord& record, const ClusterView& view, JournalWriter& journal) {
    for (const OpenAttempt& open : newest_open_attempts(record))
      if (!view.find({plan_.stage_number(open.stage), open.index}))
        journal.append(to_record(events::Abandoned{{open.stage, open.index, open.attempt.number},
                                                   Cause::node_fail,
                                                   "lost: its job is gone, and left no end record"}));
  }

  std::vector<ArrayPlan> missing_arrays(const RunRecord& record, const ClusterView& view,
                                        const ClusterFacts& facts) {
    const Replay replay(plan_, record);
    JobPlanOptions options = job_plan_options(plan_, facts);
    options.needed = [&](InstanceId id) {
      return needs_run(replay, id) && (!view.find(id) || view.is_ending(id));
    };
    if (options_.growing) {
      if (replay.outcome() == PlanOutcome::failed && options_.submission.fail_fast) return {};
      options.needed = [this, &replay, &view, arrays = submitted_arrays(plan_, record),
                        decided = behind_decisions()](InstanceId id) {
        const State state = replay.state(id);
        return decided[id.stage] && (state == State::waiting || state == State::running) && !view.find(id) &&
               newest_array(arrays, id) == nullptr;
      };
    }
    options.next_attempt = NextAttempt(run_, plan_, record);
    options.live_jobs = [&](std::uint32_t stage) { return view.jobs_of(stage); };
    std::vector<ArrayPlan> arrays = plan_jobs(plan_, options);
    for (ArrayPlan& array : arrays)  // two attempts of an instance do not meet
      for (std::string& job : view.ending_jobs_of(array.stage)) array.after_jobs.push_back(std::move(job));
    return arrays;
  }

  /// By stage: whether a list that a stage leaves makes its instances, or those of one that it waits for.
  [[nodiscard]] std::vector<bool> behind_decisions() const {
    std::vector<bool> behind(plan_.stage_count());
    for (std::uint32_t stage = 0; stage < plan_.stage_count(); ++stage) {
      behind[stage] = !plan_.stage(stage).matrix.later.empty();
      for (const Edge& edge : plan_.parents(stage)) behind[stage] = behind[stage] || behind[edge.stage];
    }
    return behind;
  }

  /// Those of new arrays, and those that nobody waits in the queue for.
  [[nodiscard]] std::vector<GrowthJob> missing_growth_jobs(const std::vector<ArrayPlan>& arrays,
                                                           const ClusterView& view) const {
    auto all = growth_jobs(plan_, arrays, [&](std::uint32_t stage) { return view.jobs_of(stage); });
    std::erase_if(all, [&](const GrowthJob& job) {
      const auto& live = view.growth_jobs();
      return job.waits.empty() && std::any_of(live.begin(), live.end(), [&](const auto& one) {
               return one.first == job.stage && one.second != options_.own_job;
             });
    });
    return all;
  }

  [[nodiscard]] std::vector<std::string> replaced_growth_jobs(const ClusterView& view) const {
    std::vector<std::string> ids;
    for (const auto& live : view.growth_jobs())
      if (std::any_of(growth_.begin(), growth_.end(),
                      [&](const auto& job) { return job.stage == live.first; }))
        ids.push_back(live.second);
    return ids;
  }

  SubmissionContext context(unsigned generation, const ClusterView& view) const {
    SubmissionContext context{.run = run_,
                              .generation = generation,
                              .exec = options_.exec,
                              .env = options_.env,
                              .no_cache = options_.no_cache,
                              .handed_over = options_.handed_over,
                              .growth = growth_};
    const auto closing = view.closing_jobs();
    for (const std::string& id : view.jobs())
      if (std::find(closing.begin(), closing.end(), id) == closing.end() && id != options_.own_job)
        context.live_jobs.push_back(id);
    return context;
  }

  /// This generation has brought its own. One that is not reached sees that, and leaves the end to it.
  void end_older(const std::vector<std::string>& ids) {
    for (const std::string& id : ids) try {
        if (id != options_.own_job) cluster_.cancel(id);
      } catch (const ClusterError&) {
      }
  }

  const RunDirectory& run_;
  Plan plan_;  ///< it may grow
  Cluster& cluster_;
  const MissingJobsOptions& options_;
  std::vector<GrowthJob> growth_;
};

}  // namespace

std::optional<SubmittedJobs> submit_missing(const RunDirectory& run, const Plan& plan, Cluster& cluster,
                                            const ClusterFacts& facts, const MissingJobsOptions& options,
                                            std::unique_ptr<ConductorLock> lock) {
  return MissingJobs(run, plan, cluster, options).submit(facts, std::move(lock));
}

}  // namespace kernmill
