#pragma once
#include <chrono>
#include <optional>

namespace kernmill {

/// Pauses between tries: the first one, then always twice as long as before up to `most`, and all of them
/// together no longer than `total`. Knows no clock: its user waits, and counts only the pauses.
class Backoff {
 public:
  using Duration = std::chrono::milliseconds;
  struct Limits {
    Duration first{250};
    Duration most{10'000};
    Duration total{0};
  };
  explicit Backoff(Limits limits) : limits_(limits), next_(limits.first) {}

  /// How long to wait before the next try; nothing when there shall be none.
  std::optional<Duration> pause();

 private:
  Limits limits_;
  Duration next_, waited_{0};
};

}  // namespace kernmill
