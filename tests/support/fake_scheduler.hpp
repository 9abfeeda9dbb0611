#pragma once
#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kernmill/scheduler/scheduler.hpp"

namespace kernmill::testing {

/// A scheduler without processes: jobs end in the order in which they were submitted, one for each `wait`.
class FakeScheduler final : public Scheduler {
 public:
  explicit FakeScheduler(int cores) : cores_(cores) {}

  /// Called at the beginning of each `wait`, for tests that do something while jobs run.
  std::function<void()> while_waiting;
  /// Exit status of a job; 0 without it.
  std::function<int(const JobId&)> exit_code;

  std::vector<JobId> submitted;
  std::vector<std::pair<JobId, bool>> cancelled;  ///< with `force`
  std::size_t most_at_once = 0;

  [[nodiscard]] bool has_room(const JobSpec& spec) const override {
    return running_.empty() || used() + spec.cores <= cores_;
  }

  void submit(const JobId& id, const JobSpec& spec) override {
    submitted.push_back(id);
    running_.emplace_back(id, spec.cores);
    most_at_once = std::max(most_at_once, running_.size());
  }

  void cancel(const JobId& id, bool force) override { cancelled.emplace_back(id, force); }

  std::vector<JobEnd> wait(std::optional<std::chrono::milliseconds>, int) override {
    if (while_waiting) while_waiting();
    if (running_.empty()) return {};
    const JobId id = running_.front().first;
    running_.pop_front();
    return {{id, exit_code ? exit_code(id) : 0}};
  }

  [[nodiscard]] std::size_t running() const { return running_.size(); }

 private:
  [[nodiscard]] int used() const {
    int sum = 0;
    for (const auto& [id, cores] : running_) sum += cores;
    return sum;
  }
  int cores_;
  std::deque<std::pair<JobId, int>> running_;
};

}  // namespace kernmill::testing
