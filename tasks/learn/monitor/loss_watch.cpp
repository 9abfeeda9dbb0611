#include "kernmill/tasks/learn/monitor/loss_watch.hpp"

#include <algorithm>

namespace kernmill::tasks {

LossWatch::Verdict LossWatch::take(double loss) {
  constexpr std::uint64_t long_enough = 5, certain = 10;
  if (taken_++ == 0) first_ = best_ = loss;
  best_ = std::min(best_, loss);
  if (!(first_ > 0)) return Verdict::well;
  const bool is_high = loss > 100 * best_ && loss > 10 * first_;
  const bool is_very_high = loss > 1e6 * best_ && loss > 1e6 * first_;
  high_ = is_high ? high_ + 1 : 0;
  very_high_ = is_very_high ? very_high_ + 1 : 0;
  if (very_high_ == 1) lost_at_ = loss;
  if (very_high_ >= certain && loss >= lost_at_) return Verdict::lost;
  return high_ == long_enough ? Verdict::astray : Verdict::well;
}

}  // namespace kernmill::tasks
