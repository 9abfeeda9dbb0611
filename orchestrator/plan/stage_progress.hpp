#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "kernmill/plan/number_set.hpp"

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
constexpr std::size_t state_count = 7;
std::string_view to_string(State state);

/// How far one stage of a plan has come: a byte an instance, a bit for each that is ready, and counters.
/// Knows nothing of other stages but how many of them are still waited for.
class StageProgress {
 public:
  /// What those who wait for the whole stage may count on.
  enum class Verdict { open, passed, broken };

  /// `each_parents` and `all_parents`: how many edges of either kind lead here.
  StageProgress(std::uint32_t instances, std::uint16_t each_parents, std::uint32_t all_parents);

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(states_.size()); }
  [[nodiscard]] State state(std::uint32_t instance) const { return states_.at(instance); }
  [[nodiscard]] std::uint32_t count(State state) const { return counts_[static_cast<std::size_t>(state)]; }
  /// Finished, failed for good, skipped or blocked.
  [[nodiscard]] std::uint32_t settled() const;
  [[nodiscard]] std::uint32_t failures() const { return count(State::failed) + count(State::blocked); }
  [[nodiscard]] std::optional<std::uint32_t> first_ready() const { return ready_.smallest(); }
  void change(std::uint32_t instance, State to);

  /// A parent of this instance alone has settled without a failure.
  void each_parent_settled(std::uint32_t instance, bool skipped);
  /// A parent of every instance has settled without a failure. True when none is left.
  bool all_parent_settled(bool skipped);
  [[nodiscard]] bool parents_settled(std::uint32_t instance) const;
  /// Whether a parent of all its instances was skipped.
  [[nodiscard]] bool all_to_be_skipped() const { return skip_all_; }
  /// Whether a parent of this instance was skipped.
  [[nodiscard]] bool to_be_skipped(std::uint32_t instance) const;

  [[nodiscard]] Verdict verdict() const { return verdict_; }
  void set_verdict(Verdict verdict) { verdict_ = verdict; }

 private:
  std::vector<State> states_;
  std::array<std::uint32_t, state_count> counts_{};
  NumberSet ready_;
  /// By instance: parents of this instance alone that have not settled; empty when there are no such edges.
  std::vector<std::uint16_t> each_left_;
  std::vector<bool> skip_;  ///< by instance, likewise
  std::uint32_t all_left_ = 0;
  bool skip_all_ = false;
  Verdict verdict_ = Verdict::open;
};

}  // namespace kernmill
