#include "kernmill/tasks/learn/monitor/time_left.hpp"

#include <algorithm>
#include <limits>

namespace kernmill::tasks {

void Pace::note(std::uint64_t step, double seconds) {
  if (!marks_.empty() && step <= marks_.back().step) return;
  marks_.push_back({step, seconds});
}

std::optional<TimeLeft> Pace::left(std::uint64_t steps) const {
  constexpr std::size_t least_parts = 4, most_parts = 8;
  if (marks_.size() <= least_parts || steps < marks_.back().step) return std::nullopt;
  const Mark& last = marks_.back();
  const double half = (marks_.front().seconds + last.seconds) / 2;
  auto first = std::lower_bound(marks_.begin(), marks_.end(), half,
                                [](const Mark& mark, double when) { return mark.seconds < when; });
  first = std::min(first, marks_.end() - 1 - least_parts);
  const auto spans = static_cast<std::size_t>(marks_.end() - 1 - first);
  const std::size_t parts = std::min(spans, most_parts);
  const auto todo = static_cast<double>(steps - last.step);
  const auto at_pace = [todo](const Mark& from, const Mark& to) {
    return todo * (to.seconds - from.seconds) / static_cast<double>(to.step - from.step);
  };
  TimeLeft left{at_pace(*first, last), std::numeric_limits<double>::infinity(), 0};
  for (std::size_t part = 0; part < parts; ++part) {
    const auto at = [&](std::size_t i) { return *(first + static_cast<std::ptrdiff_t>(spans * i / parts)); };
    const double seconds = at_pace(at(part), at(part + 1));
    left.low = std::min(left.low, seconds);
    left.high = std::max(left.high, seconds);
  }
  return left;
}

}  // namespace kernmill::tasks
