#pragma once
#include <algorithm>
#include <chrono>

namespace kernmill {

/// How long before its time is over a piece of work hears of it: a tenth of the time that it has, at most
/// `most`.
template <class Duration>
Duration notice_of_end(Duration limit, Duration most) {
  return std::min(most, limit / 10);
}

/// A job hears of it before its steps do: it has to end them, and to hand over what is left.
inline constexpr std::chrono::seconds most_notice_of_a_step{30}, most_notice_of_a_job{60};

}  // namespace kernmill
