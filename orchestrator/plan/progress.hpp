#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "kernmill/plan/plan.hpp"
#include "kernmill/plan/stage_progress.hpp"

namespace kernmill {

/// Why an attempt ended without a commit.
enum class Cause : std::uint8_t { error, oom, timeout, node_fail, preempted, cancelled, stalled };
std::string_view to_string(Cause cause);
std::optional<Cause> cause(std::string_view name);

/// What became of a run.
enum class PlanOutcome { done, failed };

/// How far a plan has come: a pure state machine. It knows no clock, no file and no process; callers tell it
/// what happened and ask what may start. Calls cost O(1), and O(children's instances) where they release or
/// block some.
///
/// What decides an instance's fate, whatever the order of events:
/// - It is blocked as soon as a parent cannot be had: the parent's instance of its number (EdgeKind::each)
///   failed or is blocked, or so many of a whole stage (EdgeKind::all) that its max_fails is exceeded. A
///   blocked instance counts against its own stage's max_fails as a failed one does.
/// - Else it is skipped once all its parents have settled and one of them was skipped: its instance of this
///   number, or a whole stage with all its instances. A stage that collects goes on with those that ran.
/// - Else it is ready once all its parents have settled.
/// A stage that is not decided yet has no instances, and waits for its parents as a whole. What waits for it
/// waits until it is `grown`, is blocked when one of its parents cannot be had, skipped when one was skipped.
/// The reduce of a tune stage waits for that stage's trials as for a whole stage; when it fails, the stage
/// has.
class Progress {
 public:
  struct Options {
    bool fail_fast = false;    ///< after a failure beyond a stage's max_fails nothing new starts
    bool max_parallel = true;  ///< false: all that could run is to be taken
  };
  /// The plan has to outlive this.
  Progress(const Plan& plan, Options options);

  /// An instance that an earlier life of the run committed (finished) or settled (skipped), in any order.
  /// Before anything is taken. Its children's fate follows; a parent that was not restored runs all the same.
  void restore(InstanceId id, State state);

  /// The next instance that may start, lowest stage and number first, honouring each stage's max_parallel; it
  /// becomes running.
  std::optional<InstanceId> take_ready();
  /// The same of one stage.
  std::optional<InstanceId> take_ready(std::uint32_t stage);
  /// Puts back an instance that was taken and not started after all.
  void put_back(InstanceId id);

  /// The plan has grown: these stages, all of which were undecided, have instances now.
  void grown(const std::vector<std::uint32_t>& stages);

  /// Reports. Each takes a running instance (skipped: one that waits or is ready, too); std::logic_error
  /// otherwise.
  void finished(InstanceId id);
  void skipped(InstanceId id);
  /// Returns true when the instance becomes ready again (`retry`), false when it is failed for good.
  bool failed(InstanceId id, bool retry);

  [[nodiscard]] State state(InstanceId id) const { return stages_[id.stage].state(id.index); }
  [[nodiscard]] std::uint32_t count(std::uint32_t stage, State state) const {
    return stages_[stage].count(state);
  }
  /// Of a stage without instances that is not decided: waiting, blocked or skipped.
  [[nodiscard]] State state_of_undecided(std::uint32_t stage) const;
  /// Over all stages.
  [[nodiscard]] std::uint64_t count(State state) const { return totals_[static_cast<std::size_t>(state)]; }
  /// For a blocked or skipped instance: the stage because of which it is (its own, for a reduce whose trials
  /// failed). Nothing when its own `when` was false.
  [[nodiscard]] std::optional<std::uint32_t> because_of(InstanceId id) const;
  /// Nothing is running, and nothing can start any more.
  [[nodiscard]] bool complete() const;
  /// failed when more instances of a stage failed or are blocked than its max_fails allows.
  [[nodiscard]] PlanOutcome outcome() const {
    return broken_stages_ == 0 ? PlanOutcome::done : PlanOutcome::failed;
  }

 private:
  void require(InstanceId id, bool fits, std::string_view report) const;
  /// Whether an instance of the stage is ready, and there is room for it under its max_parallel.
  [[nodiscard]] bool may_start(std::uint32_t stage) const;
  void change(InstanceId id, State to);
  /// Changes to a state that is final, and makes what follows from it, without recursion.
  void settle(InstanceId id, State to);
  void note_settled(InstanceId id, State to);
  void follow_up();
  void tell_children(InstanceId id);
  void tell_child(InstanceId child, State parent);
  void check_reduce(std::uint32_t stage);
  void check_stage(std::uint32_t stage);
  [[nodiscard]] StageProgress at_the_beginning(std::uint32_t stage) const;
  void catch_up(std::uint32_t stage);
  void break_stage(std::uint32_t stage);
  void pass_stage(std::uint32_t stage);
  void decide(InstanceId id);
  void decide_all(std::uint32_t stage);
  void block(InstanceId id);
  [[nodiscard]] bool broken(std::uint32_t stage) const;
  [[nodiscard]] bool all_skipped(std::uint32_t stage) const;

  const Plan* plan_;
  Options options_;
  std::vector<StageProgress> stages_;
  NumberSet startable_;  ///< stages that have something ready and room for it
  std::array<std::uint64_t, state_count> totals_{};
  std::uint32_t broken_stages_ = 0;
  std::vector<InstanceId> settled_;  ///< whose consequences are still to be drawn
};

}  // namespace kernmill
