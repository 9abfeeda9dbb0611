#include "kernmill/run/submit/submission.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "kernmill/base/counted.hpp"
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
    return {error.kind,
            fmt::format("{}: {}", key == closing_key ? "the closing job" : "array " + key, error.what())};
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

/// What is to be done about the jobs that earlier submissions have left.
class Settling {
 public:
  Settling(const RunDirectory& run, const RunRecord& record, Cluster& cluster, std::vector<ClusterJob>& jobs,
           JournalWriter& journal, const SubmissionOptions& options)
      : run_(run), record_(record), cluster_(cluster), jobs_(jobs), journal_(journal), options_(options) {}

  std::vector<std::string> settle() {
    for (const auto& [number, generation] : record_.generations) numbers_.insert(number);
    for (const auto& [identity, job] : live_jobs(run_, jobs_)) numbers_.insert(identity.generation);
    for (const unsigned number : numbers_) {
      const auto known = record_.generations.find(number);
      const Generation* generation = known == record_.generations.end() ? nullptr : &known->second;
      if (generation != nullptr && generation->accepted && !generation->rolled_back)
        release(*generation);
      else
        cancel(number, generation);
    }
    return std::move(done_);
  }

 private:
  void cancel(unsigned number, const Generation* generation) {
    std::size_t cancelled = cancel_jobs_of(number);
    if (generation != nullptr && !generation->rolled_back) {
      options_.pause(options_.late_requests);
      jobs_ = cluster_.jobs();
      cancelled += cancel_jobs_of(number);
      journal_.append(to_record(events::RolledBack{number, "its submission ended halfway"}));
    }
    if (cancelled > 0)
      done_.push_back("cancelled " + counted(cancelled, "job") + " of a submission that had ended halfway");
  }

  std::size_t cancel_jobs_of(unsigned number) {
    std::set<std::string> ids;
    auto live = live_jobs(run_, jobs_);
    std::reverse(live.begin(), live.end());  // what waits for others goes first: else it might start
    for (const auto& [identity, job] : live)
      if (identity.generation == number && ids.insert(job.id).second) call([&] { cluster_.cancel(job.id); });
    std::erase_if(jobs_, [&](const ClusterJob& job) { return ids.contains(job.id); });
    return ids.size();
  }

  void release(const Generation& generation) {
    std::map<std::string, std::string> held;  // names, and why they are
    for (const auto& [identity, job] : live_jobs(run_, jobs_))
      if (identity.generation == generation.number && job.held) held.emplace(to_release(job), job.reason);
    std::size_t released = 0;
    for (const auto& [name, reason] : held) try {
        call([&] { cluster_.release(name); });
        ++released;
      } catch (const ClusterError& error) {
        if (error.kind != Kind::rejected) throw;
        done_.push_back(
            fmt::format("job {} is held ({}), and the cluster does not release it: {}\n"
                        "ask whoever holds it for `scontrol release {}`, or give it up with "
                        "`scancel {}` and resume again",
                        name, reason, error.what(), name, name));
      }
    for (ClusterJob& job : jobs_)
      if (held.contains(to_release(job)) && released == held.size()) job.held = false;
    if (!generation.released && released == held.size())
      journal_.append(to_record(events::Released{generation.number}));
    if (released > 0)
      done_.push_back("released " + counted(released, "job") +
                      (generation.released ? " that had been held since then"
                                           : " that an earlier submission had left held"));
  }

  /// The elements of an array that have not started are released together.
  static std::string to_release(const ClusterJob& job) {
    const bool one =
        !job.elements.empty() && job.elements.find_first_not_of("0123456789") == std::string::npos;
    return one ? job.id + "_" + job.elements : job.id;
  }

  /// What has ended meanwhile needs nothing.
  static void call(const std::function<void()>& request) {
    try {
      request();
    } catch (const ClusterError& error) {
      if (error.kind != Kind::unknown_job) throw;
    }
  }

  const RunDirectory& run_;
  const RunRecord& record_;
  Cluster& cluster_;
  std::vector<ClusterJob>& jobs_;
  JournalWriter& journal_;
  const SubmissionOptions& options_;
  std::set<unsigned> numbers_;
  std::vector<std::string> done_;
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

std::vector<std::pair<JobIdentity, ClusterJob>> live_jobs(const RunDirectory& run,
                                                          const std::vector<ClusterJob>& jobs) {
  std::vector<std::pair<JobIdentity, ClusterJob>> live;
  for (const ClusterJob& job : jobs) {
    if (!is_live(job.state)) continue;
    auto identity = identity_in(job.comment);
    if (identity && identity->run == run.name()) live.emplace_back(std::move(*identity), job);
  }
  return live;
}

std::vector<std::string> settle_submissions(const RunDirectory& run, const RunRecord& record,
                                            Cluster& cluster, std::vector<ClusterJob>& jobs,
                                            JournalWriter& journal, const SubmissionOptions& options) {
  return Settling(run, record, cluster, jobs, journal, options).settle();
}

}  // namespace kernmill
