#include "kernmill/run/submit/cancellation.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <tuple>

#include "kernmill/base/backoff.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/plan/job_plan.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/submit/settling.hpp"

namespace kernmill {
namespace {

using std::chrono::milliseconds;

std::filesystem::path wish_file(const RunDirectory& run) {
  return run.root() / "cancel";
}

std::uint64_t number_of(const std::string& id) {
  std::uint64_t number = 0;
  std::from_chars(id.data(), id.data() + id.size(), number);
  return number;
}

/// Generations whose submission ended halfway: a request of theirs may be carried out late.
std::vector<unsigned> unfinished(const RunRecord& record) {
  std::vector<unsigned> numbers;
  for (const auto& [number, generation] : record.generations)
    if (!generation.accepted && !generation.rolled_back) numbers.push_back(number);
  return numbers;
}

class JobsToEnd {
 public:
  JobsToEnd(const RunDirectory& run, Cluster& cluster, const CancellationOptions& options)
      : run_(run), cluster_(cluster), options_(options) {}

  /// Tells all jobs to end, again and again until none is left. False when that took too long.
  bool end() {
    Backoff backoff({milliseconds(100), milliseconds(2'000), options_.patience});
    for (;;) {
      try {
        if (tell_all()) return true;
      } catch (const ClusterError& error) {
        const bool may_pass =
            error.kind == ClusterError::Kind::unavailable || error.kind == ClusterError::Kind::busy;
        const auto pause = may_pass ? backoff.pause() : std::nullopt;
        if (!pause) throw;
        options_.pause(*pause);
        continue;
      }
      const auto pause = backoff.pause();
      if (!pause) return false;
      options_.pause(*pause);
    }
  }

  [[nodiscard]] std::size_t told() const { return told_.size(); }
  [[nodiscard]] std::vector<std::string> left() const { return left_; }

 private:
  /// True when nothing was left to be told.
  bool tell_all() {
    auto live = live_jobs(run_, cluster_.jobs());
    // What waits for others goes first: else it would start, or be killed for want of its parents.
    std::stable_sort(live.begin(), live.end(), [](const auto& a, const auto& b) {
      const auto rank = [](const auto& one) {
        return std::tuple(one.first.key != closing_key, ~one.first.generation, ~number_of(one.second.id));
      };
      return rank(a) < rank(b);
    });
    left_.clear();
    for (const auto& [identity, job] : live) {
      if (std::find(left_.begin(), left_.end(), job.id) != left_.end()) continue;
      left_.push_back(job.id);
      // A job may come back to the queue while it ends.
      if (told_.insert(job.id).second || job.state == JobState::pending) end(job.id);
    }
    return live.empty();
  }

  void end(const std::string& id) {
    try {
      cluster_.cancel(id);
    } catch (const ClusterError& error) {
      if (error.kind != ClusterError::Kind::unknown_job) throw;  // it has ended meanwhile
    }
  }

  const RunDirectory& run_;
  Cluster& cluster_;
  const CancellationOptions& options_;
  std::set<std::string> told_;
  std::vector<std::string> left_;
};

}  // namespace

void wish_to_cancel(const RunDirectory& run) {
  write_file_durably(wish_file(run), "");
}

bool is_cancel_wished(const RunDirectory& run) {
  std::error_code none;
  return std::filesystem::exists(wish_file(run), none);
}

void forget_wish(const RunDirectory& run) {
  std::error_code none;
  std::filesystem::remove(wish_file(run), none);
}

Cancellation cancel_jobs(const RunDirectory& run, Cluster& cluster, JournalWriter& journal,
                         const CancellationOptions& options) {
  const auto halfway = unfinished(fold_journal(run.journal()));
  JobsToEnd jobs(run, cluster, options);
  bool ended = jobs.end();
  if (ended && !halfway.empty()) {
    options.pause(options.late_requests);
    ended = jobs.end();
  }
  if (!ended) return {jobs.told(), jobs.left()};
  for (const unsigned generation : halfway)
    journal.append(to_record(events::RolledBack{generation, "cancelled before all of it was submitted"}));
  const RunRecord record = fold_journal(run.journal());
  if (record.outcome.empty() || (jobs.told() > 0 && record.outcome != "done"))
    journal.append(to_record(events::RunFinished{"cancelled", {}, record.life}));
  forget_wish(run);
  return {jobs.told(), {}};
}

}  // namespace kernmill
