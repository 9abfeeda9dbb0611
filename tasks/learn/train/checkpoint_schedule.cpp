#include "kernmill/tasks/learn/train/checkpoint_schedule.hpp"

#include <algorithm>
#include <cmath>

namespace kernmill::tasks {
namespace {

using Seconds = CheckpointSchedule::Seconds;
constexpr Seconds before_any{60}, shortest{10}, longest{3600};

}  // namespace

bool CheckpointSchedule::due_at(std::uint64_t step) const {
  return interval_.by == CheckpointInterval::By::steps && interval_.steps > 0 && step % interval_.steps == 0;
}

bool CheckpointSchedule::due_at(Clock::time_point now) const {
  return interval_.by != CheckpointInterval::By::steps && now - last_ >= interval();
}

void CheckpointSchedule::learn(Seconds stall, Seconds duration) {
  stalls_ += stall;
  longest_ = std::max(longest_, duration);
  ++count_;
}

Seconds CheckpointSchedule::interval() const {
  if (interval_.by != CheckpointInterval::By::cost) return interval_.time;
  if (count_ == 0) return before_any;
  const Seconds young{std::sqrt(2 * stalls_.count() / static_cast<double>(count_) * interval_.mtbf.count())};
  return std::clamp(young, std::max(shortest, 2 * longest_), std::max(longest, 2 * longest_));
}

}  // namespace kernmill::tasks
