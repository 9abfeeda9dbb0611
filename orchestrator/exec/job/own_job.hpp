#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "kernmill/exec/job/launcher.hpp"
#include "kernmill/scheduler/cluster.hpp"

namespace kernmill::exec {

using ClusterFactory = std::function<std::unique_ptr<Cluster>()>;

/// How long something is tried again, and what waits in between.
struct RetryBudget {
  std::chrono::milliseconds total{0};
  std::function<void(std::chrono::milliseconds)> pause;

  /// Looks until `enough` is true of what it sees, or the time is over. Returns what it saw last.
  template <typename Look, typename Enough>
  auto until(const Look& look, const Enough& enough) const {
    constexpr std::chrono::milliseconds step{250};
    for (std::chrono::milliseconds waited{0};; waited += step) {
      auto seen = look();
      if (enough(seen) || waited >= total) return seen;
      pause(step);
    }
  }
};

/// The job that this process is in, as the batch system sees it. The plug-in is opened when it is needed
/// first. A controller that does not answer is no error here: what was not done is said on stderr.
class OwnJob {
 public:
  /// `name`: "12", or "12_3" for an element.
  OwnJob(ClusterFactory open, std::string name) : open_(std::move(open)), name_(std::move(name)) {}
  OwnJob(const OwnJob&) = delete;
  OwnJob& operator=(const OwnJob&) = delete;
  [[nodiscard]] const std::string& name() const { return name_; }

  /// What the batch system says of it; nothing when it does not say.
  std::optional<ClusterJob> look();
  /// How long what runs in it may go on after it was told that time is short: what is left of the job's time,
  /// less what it takes to put the job back into the queue. 0: not known.
  std::chrono::milliseconds time_left();
  /// When the batch system ends it: from the environment of the job where that has it, else asked for.
  /// Nothing when neither tells, or nothing ends it.
  std::optional<std::chrono::system_clock::time_point> end_of_time(const Environment& own);
  /// Sends a signal to all ranks of its steps, on all nodes. Whether it was sent.
  bool signal(int number);
  /// Puts it back into the queue. False when the batch system refuses to, or does not answer for that long.
  bool requeue(const RetryBudget& budget);
  /// Changes what its next start gets.
  void change(const BatchJob::Options& options, const RetryBudget& budget);
  /// Ends other jobs.
  void cancel(const std::string& job);
  /// Throws ClusterError.
  Cluster& cluster();

 private:
  /// Calls again as long as the controller is away or busy. False when it has not succeeded.
  bool call_again(const RetryBudget& budget, const std::string& what, const std::function<void()>& call);

  ClusterFactory open_;
  std::string name_;
  std::unique_ptr<Cluster> cluster_;
};

}  // namespace kernmill::exec
