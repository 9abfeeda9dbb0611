#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/plan/plan.hpp"

namespace kernmill {

enum class State : std::uint8_t {
  waiting,   ///< for its parents
  ready,     ///< may start
  running,   ///< an attempt is under way
  finished,  ///< its artifacts are committed
  failed,    ///< no attempt is left
  skipped,   ///< its `when` was false, or a parent was skipped
  blocked,   ///< a parent failed: it can no longer run
};
std::string_view to_string(State state);

/// Why an attempt ended without a commit.
enum class Cause : std::uint8_t { error, oom, timeout, node_fail, preempted, cancelled };
std::string_view to_string(Cause cause);
std::optional<Cause> cause(std::string_view name);

/// What became of a run.
enum class Outcome { done, failed };

/// How far a plan has come: a pure state machine. It knows no clock, no file and no process; callers tell it
/// what happened and ask what may start. Calls cost O(1), and O(children's instances) where they release or
/// block some.
class Progress {
 public:
  struct Options {
    bool fail_fast = false;  ///< after a failure nothing new starts
  };
  Progress(const Plan& plan, Options options);

  /// An instance that an earlier life of the run committed (finished) or settled (skipped). Before anything
  /// is taken.
  void restore(InstanceId id, State state);

  /// The next instance that may start, lowest stage first, honouring each stage's max_parallel; it becomes
  /// running.
  std::optional<InstanceId> take_ready();
  /// Puts back an instance that was taken and not started after all.
  void put_back(InstanceId id);

  /// Reports. Each takes a running instance (skipped: a running or ready one).
  void finished(InstanceId id);
  void skipped(InstanceId id);
  /// Returns true when the instance becomes ready again (`retry`), false when it is failed for good.
  bool failed(InstanceId id, bool retry);

  [[nodiscard]] State state(InstanceId id) const;
  [[nodiscard]] std::uint32_t count(std::uint32_t stage, State state) const;
  /// Nothing is ready or running, and nothing can become ready.
  [[nodiscard]] bool complete() const;
  /// failed when any instance failed beyond its stage's max_fails, or is blocked.
  [[nodiscard]] Outcome outcome() const;

 private:
  struct StageProgress;
  const Plan* plan_;
  Options options_;
  std::vector<StageProgress> stages_;
};

}  // namespace kernmill
