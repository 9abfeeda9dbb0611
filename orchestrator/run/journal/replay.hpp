#pragma once
#include <vector>

#include "kernmill/plan/plan.hpp"
#include "kernmill/plan/progress.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "kernmill/run/journal/plain_commits.hpp"

namespace kernmill {

/// The plan driven by what the journal knows, so that what follows from it (blocked, skipped along) is
/// decided by the same rules as when a run is conducted.
class Replay {
 public:
  /// `skipped`: instances that are skipped beside those that the journal names; `plain`: those that have
  /// committed beside those of the record, if there are any. The plan has to outlive this.
  Replay(const Plan& plan, const RunRecord& record, const std::vector<InstanceId>& skipped = {},
         const PlainCommits* plain = nullptr);
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  /// Running: it could run, or does. Waiting: for parents that could.
  [[nodiscard]] State state(InstanceId id) const { return progress_.state(id); }
  [[nodiscard]] State state_of_undecided(std::uint32_t stage) const {
    return progress_.state_of_undecided(stage);
  }
  /// Whether nothing can run any more.
  [[nodiscard]] bool complete() const { return progress_.complete(); }
  [[nodiscard]] PlanOutcome outcome() const { return progress_.outcome(); }

 private:
  const Plan& plan_;
  Progress progress_;
};

/// Whether the journal says that the instance has failed, and no attempt is left.
bool has_failed(const InstanceRecord& instance);
/// Whether it has committed, was skipped, or has failed like that.
bool has_settled(const InstanceRecord& instance);

}  // namespace kernmill
