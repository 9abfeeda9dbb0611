#include "kernmill/run/submit/settling.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <fmt/format.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/run/journal/events.hpp"

namespace kernmill {
namespace {

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
      if (generation != nullptr && generation->accepted && !generation->rolled_back) {
        const unsigned from = options_.release_from;
        if (from == 0 || (number >= from && !generation->released)) release(*generation);
      } else {
        cancel(number, generation);
      }
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
      if (identity.generation == number && ids.insert(job.id).second)
        call([&, &id = job.id] { cluster_.cancel(id); });
    std::erase_if(jobs_, [&](const ClusterJob& job) { return ids.contains(job.id); });
    return ids.size();
  }

  void release(const Generation& generation) {
    std::map<std::string, std::string> held;  // names, and why they are
    for (const auto& [identity, job] : live_jobs(run_, jobs_))
      if (identity.generation == generation.number && job.held) held.emplace(to_release(job), job.reason);
    std::size_t released = 0;
    for (const auto& [name, reason] : held) try {
        call([&, &which = name] { cluster_.release(which); });
        ++released;
      } catch (const ClusterError& error) {
        if (error.kind != ClusterError::Kind::rejected) throw;
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
      if (error.kind != ClusterError::Kind::unknown_job) throw;
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

bool is_ending(const ClusterJob& job) {
  const bool goes_on = job.next_state == JobState::pending || job.next_state == JobState::preempted;
  return job.state == JobState::completing && !goes_on && job.next_state != JobState::completed;
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
