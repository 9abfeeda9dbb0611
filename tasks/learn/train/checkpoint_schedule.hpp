#pragma once
#include <chrono>
#include <cstdint>

namespace kernmill::tasks {

/// How often a checkpoint is due.
struct CheckpointInterval {
  enum class By {
    steps,  ///< of the method
    time,
    cost,  ///< as often as it pays, by what checkpoints cost and how often a job dies
  };
  By by = By::steps;
  std::uint64_t steps = 10;
  std::chrono::duration<double> time{600};
  std::chrono::duration<double> mtbf{24 * 3600};  ///< mean time between failures of the job
};

/// Says when a checkpoint is due. The steps are the same on every rank, the clock is one rank's: it decides,
/// and tells the others.
class CheckpointSchedule {
 public:
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;

  CheckpointSchedule(const CheckpointInterval& interval, Clock::time_point start)
      : interval_(interval), last_(start) {}

  [[nodiscard]] bool due_at(std::uint64_t step) const;
  [[nodiscard]] bool due_at(Clock::time_point now) const;
  /// A checkpoint was begun, or failed to be: the next is due an interval later.
  void begun(Clock::time_point now) { last_ = now; }
  /// What one cost: how long training stood still for it, and how long until it was on disk.
  void learn(Seconds stall, Seconds duration);
  /// The interval by time or cost. By cost: Young's sqrt(2 stall mtbf) (CACM 17, 1974), of the mean stall so
  /// far, between 10 seconds and an hour, and at least twice what writing takes. A minute before the first.
  [[nodiscard]] Seconds interval() const;

 private:
  CheckpointInterval interval_;
  Clock::time_point last_;
  Seconds stalls_{0}, longest_{0};
  std::uint64_t count_ = 0;
};

}  // namespace kernmill::tasks
