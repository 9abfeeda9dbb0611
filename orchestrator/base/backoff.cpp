#include "kernmill/base/backoff.hpp"

#include <algorithm>

namespace kernmill {

std::optional<Backoff::Duration> Backoff::pause() {
  if (waited_ >= limits_.total) return {};
  const Duration now = std::min(next_, limits_.total - waited_);
  waited_ += now;
  next_ = std::min(2 * next_, limits_.most);
  return now;
}

}  // namespace kernmill
