#include "kernmill/run/submit/submission.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/run/journal/events.hpp"

namespace kernmill {
namespace {

using Kind = ClusterError::Kind;

/// One generation on its way to the cluster.
class Transaction {
 public:
  Transaction(const SubmissionContext& context, const Plan& plan, Cluster& cluster, JournalWriter& journal,
              const SubmissionOptions& options)
      : context_(context), plan_(plan), cluster_(cluster), journal_(journal), options_(options) {}

  Submission carry_out(const std::vector<ArrayPlan>& arrays) {
    announce(arrays);
    try {
      for (const ArrayPlan& array : arrays) submit(array);
      for (const GrowthJob& growth : context_.growth) submit(growth);
      submit_closing_job();
      if (unsure_) cancel_doubles();
      give_up_if_cancelled();
    } catch (const ClusterError& error) {
      roll_back(error);
    } catch (const SubmissionCancelled& wish) {
      cancel_all(wish.what(), Kind::unavailable);
      throw;
    }
    journal_.append(to_record(events::Accepted{context_.generation}));
    if (!options_.hold) release(arrays);
    return std::move(result_);
  }

 private:
  void announce(const std::vector<ArrayPlan>& arrays) {
    events::Submitting intent{context_.generation, generation_token(context_.run.name(), context_.generation),
                              options_.fail_fast, context_.no_cache, options_.hold};
    for (const ArrayPlan& array : arrays) intent.arrays.push_back(to_json(array, plan_));
    journal_.append(to_record(intent));
  }

  void submit(const ArrayPlan& array) {
    const std::string id = accepted_id(batch_job(context_, plan_, array, result_.job_of), array.key);
    result_.job_of[array.key] = id;
    note(array.key, id);
  }

  void submit(const GrowthJob& growth) {
    const std::string key = growth_key(growth.stage);
    result_.job_of[key] = accepted_id(growth_job(context_, plan_, growth, result_.job_of), key);
    note(key, result_.job_of[key]);
  }

  void submit_closing_job() {
    std::vector<std::string> jobs;
    for (const auto& [key, id] : result_.job_of) jobs.push_back(id);
    jobs.insert(jobs.end(), context_.live_jobs.begin(), context_.live_jobs.end());
    result_.closing_job = accepted_id(closing_job(context_, plan_, jobs), closing_key);
    note(closing_key, result_.closing_job);
  }

  void note(const std::string& key, const std::string& id) {
    journal_.append(to_record(events::ArraySubmitted{context_.generation, key, id}));
  }

  /// A request without an answer may have been carried out all the same: its job is looked for before it is
  /// sent again.
  std::string accepted_id(const BatchJob& job, const std::string& key) {
    ClusterBackoff backoff(options_);
    bool look_first = false;
    for (;;) {
      try {
        give_up_if_cancelled();
        if (look_first)
          if (auto id = find(key); !id.empty()) return id;
        return cluster_.submit(job);
      } catch (const ClusterError& error) {
        if (error.kind != Kind::busy && error.kind != Kind::unavailable) throw about(key, error);
        look_first = look_first || error.kind == Kind::unavailable;
        unsure_ = unsure_ || look_first;
        if (!backoff.pause()) throw about(key, error);
      }
    }
  }

  void give_up_if_cancelled() const {
    if (options_.cancelled && options_.cancelled())
      throw SubmissionCancelled(fmt::format(
          "{} is being cancelled: nothing of this submission was left in the queue", context_.run.name()));
  }

  static ClusterError about(const std::string& key, const ClusterError& error) {
    const auto decider = stage_of_growth(key);
    return {error.kind, fmt::format("{}: {}",
                                    key == closing_key ? "the closing job"
                                    : decider          ? "the job that goes on behind " + *decider
                                                       : "array " + key,
                                    error.what())};
  }

  std::string find(const std::string& key) {
    const std::string comment = array_comment(context_.run.name(), context_.generation, key);
    for (const ClusterJob& job : cluster_.jobs())
      if (job.comment == comment && is_live(job.state)) return job.id;
    return {};
  }

  /// A request that was answered by silence may have been carried out later, beside the one sent after it.
  void cancel_doubles() {
    const std::string token = generation_token(context_.run.name(), context_.generation) + ":";
    for (const ClusterJob& job : cluster_.jobs()) {
      const bool ours = job.comment.starts_with(token) && is_live(job.state);
      const bool known = job.id == result_.closing_job ||
                         std::any_of(result_.job_of.begin(), result_.job_of.end(),
                                     [&](const auto& entry) { return entry.second == job.id; });
      if (ours && !known) cancel(job.id);
    }
  }

  [[noreturn]] void roll_back(const ClusterError& error) {
    cancel_all(error.what(), error.kind);
    throw ClusterError(error.kind,
                       fmt::format("{}\nNothing was left in the queue. `kernmill resume {}` tries again",
                                   error.what(), context_.run.name()));
  }

  void cancel_all(const std::string& why, Kind kind) {
    try {
      if (!result_.closing_job.empty()) cancel(result_.closing_job);
      for (const auto& [key, id] : result_.job_of) cancel(id);
      if (unsure_) {
        cancel_everything();
        options_.pause(options_.late_requests);
        cancel_everything();
      }
    } catch (const ClusterError& again) {
      throw ClusterError(
          kind, fmt::format("{}\n{} of the jobs were accepted and are held; they could not be cancelled "
                            "({}). `kernmill resume {}` cancels them and submits anew",
                            why, result_.job_of.size(), again.what(), context_.run.name()));
    }
    journal_.append(to_record(events::RolledBack{context_.generation, why}));
  }

  void cancel(const std::string& id) {
    try {
      cluster_.cancel(id);
    } catch (const ClusterError& error) {
      if (error.kind != Kind::unknown_job) throw;  // somebody was quicker, or the cluster has forgotten it
    }
  }

  void cancel_everything() {
    result_ = {};
    cancel_doubles();
  }

  void release(const std::vector<ArrayPlan>& arrays) {
    for (const GrowthJob& growth : context_.growth) release(result_.job_of.at(growth_key(growth.stage)));
    for (const ArrayPlan& array : arrays)
      if (array.waits.empty() && array.after_jobs.empty()) release(result_.job_of.at(array.key));
    journal_.append(to_record(events::Released{context_.generation}));
  }

  void release(const std::string& id) {
    ClusterBackoff backoff(options_);
    for (;;) {
      try {
        return cluster_.release(id);
      } catch (const ClusterError& error) {
        if (error.kind == Kind::unknown_job) return;  // somebody was quicker, or cancelled it
        const bool may_pass = error.kind == Kind::busy || error.kind == Kind::unavailable;
        if (may_pass && backoff.pause()) continue;
        throw ClusterError(error.kind,
                           fmt::format("{}\nAll jobs were accepted, but are held still. `kernmill resume {}` "
                                       "releases them",
                                       error.what(), context_.run.name()));
      }
    }
  }

  const SubmissionContext& context_;
  const Plan& plan_;
  Cluster& cluster_;
  JournalWriter& journal_;
  const SubmissionOptions& options_;
  Submission result_;
  bool unsure_ = false;  ///< a request was not answered
};

}  // namespace

bool ClusterBackoff::pause() {
  const auto pause = backoff_.pause();
  if (pause) options_.pause(*pause);
  return pause.has_value();
}

Submission submit_jobs(const SubmissionContext& context, const Plan& plan,
                       const std::vector<ArrayPlan>& arrays, Cluster& cluster, JournalWriter& journal,
                       const SubmissionOptions& options) {
  make_directories(context.run.root() / "slurm");
  return Transaction(context, plan, cluster, journal, options).carry_out(arrays);
}

std::unique_ptr<JournalWriter> submission_journal(const RunDirectory& run, unsigned generation,
                                                  const JournalWriter::Hook& hook) {
  return std::make_unique<JournalWriter>(run.journal(), fmt::format("submit-{}", generation), 0, "submit",
                                         hook);
}

}  // namespace kernmill
