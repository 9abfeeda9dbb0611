#pragma once
#include <algorithm>
#include <chrono>

namespace kernmill {

/// How long before its time is over a piece of work hears of it. What was asked for, as far as half of the
/// time is left; else a tenth of the time, at least 20 seconds where these are no more than a third of it,
/// and at most `most`. No limit: 0.
template <class Duration>
Duration notice_of_end(Duration limit, Duration asked, Duration most) {
  if (asked.count() > 0) return std::min<Duration>(asked, limit / 2);
  const Duration least = std::min<Duration>(std::chrono::seconds(20), limit / 3);
  return std::min(std::max<Duration>(limit / 10, least), std::max(most, least));
}

/// A command may have much to save; one that does not listen works on until its end. Kernmill's own tasks
/// are quick, and end at once.
inline constexpr std::chrono::seconds most_notice_of_a_command{300}, most_notice_of_a_task{30};

/// A job hears of it a little earlier than its step, whose end is to be handed over, too.
inline constexpr std::chrono::seconds handing_over{15};

}  // namespace kernmill
