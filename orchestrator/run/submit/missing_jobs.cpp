#include "kernmill/run/submit/missing_jobs.hpp"

#include <algorithm>

#include "kernmill/run/cluster_check/cluster_capacity.hpp"
#include "kernmill/run/conductor/conductor_lock.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/journal/open_attempts.hpp"
#include "kernmill/run/journal/replay.hpp"
#include "kernmill/run/submit/cluster_view.hpp"

namespace kernmill {
namespace {

unsigned next_attempt(const RunRecord& record, const Plan& plan, InstanceId id) {
  const InstanceRecord* known = record.find(plan.stage(id.stage).name, id.index);
  return known == nullptr || known->attempts.empty() ? 1 : known->attempts.back().number + 1;
}

class MissingJobs {
 public:
  MissingJobs(const RunDirectory& run, const Plan& plan, Cluster& cluster, const MissingJobsOptions& options)
      : run_(run), plan_(plan), cluster_(cluster), options_(options) {}

  std::optional<SubmittedJobs> submit(const ClusterFacts& facts) {
    const ProcessIdentity self = self_identity();
    const ConductorLock lock(run_.lock(), self);
    RunRecord record = fold_journal(run_.journal());
    const unsigned generation = record.generations.empty() ? 1 : record.generations.rbegin()->first + 1;
    const auto journal = submission_journal(run_, generation, options_.hook);
    const ClusterView view(run_, plan_, record, settled_jobs(record, *journal));
    abandon_lost(record, view, *journal);
    journal->append(to_record(events::RunStarted{self, options_.resumed, "slurm"}));
    record = options_.take_ready_results(fold_journal(run_.journal()), *journal);

    SubmittedJobs made{missing_arrays(record, view, facts), {}};
    if (made.arrays.empty() && view.any()) return {};
    made.submission =
        submit_jobs(context(generation, view), plan_, made.arrays, cluster_, *journal, options_.submission);
    return made;
  }

 private:
  /// What the cluster knows of this user's jobs, once earlier submissions are settled.
  std::vector<ClusterJob> settled_jobs(const RunRecord& record, JournalWriter& journal) {
    auto jobs = options_.resumed ? cluster_.jobs() : std::vector<ClusterJob>{};
    for (const std::string& line : settle_submissions(run_, record, cluster_, jobs, journal))
      options_.tell(line);
    return jobs;
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
      const State state = replay.state(id);
      return state != State::finished && state != State::skipped && !view.find(id);
    };
    options.next_attempt = [&](InstanceId id) { return next_attempt(record, plan_, id); };
    options.live_jobs = [&](std::uint32_t stage) { return view.jobs_of(stage); };
    return plan_jobs(plan_, options);
  }

  /// Ends closing jobs of earlier generations: this one brings its own.
  SubmissionContext context(unsigned generation, const ClusterView& view) {
    SubmissionContext context{.run = run_,
                              .generation = generation,
                              .exec = options_.exec,
                              .env = options_.env,
                              .no_cache = options_.no_cache};
    const auto closing = view.closing_jobs();
    for (const std::string& id : view.jobs()) {
      if (std::find(closing.begin(), closing.end(), id) == closing.end())
        context.live_jobs.push_back(id);
      else
        cluster_.cancel(id);
    }
    return context;
  }

  const RunDirectory& run_;
  const Plan& plan_;
  Cluster& cluster_;
  const MissingJobsOptions& options_;
};

}  // namespace

std::optional<SubmittedJobs> submit_missing(const RunDirectory& run, const Plan& plan, Cluster& cluster,
                                            const ClusterFacts& facts, const MissingJobsOptions& options) {
  return MissingJobs(run, plan, cluster, options).submit(facts);
}

}  // namespace kernmill
