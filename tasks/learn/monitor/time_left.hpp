#pragma once
#include <cstdint>
#include <optional>
#include <vector>

namespace kernmill::tasks {

/// Seconds until the last step, and between which they lie if the pace stays one that was seen.
struct TimeLeft {
  double seconds = 0, low = 0, high = 0;
};

/// How fast steps went, as far as it was noted.
class Pace {
 public:
  /// `seconds`: when so many steps were done.
  void note(std::uint64_t step, double seconds);
  /// At the pace of the later half of the time; its range are the paces of up to eight parts of that. Nothing
  /// before there are four.
  [[nodiscard]] std::optional<TimeLeft> left(std::uint64_t steps) const;

 private:
  struct Mark {
    std::uint64_t step = 0;
    double seconds = 0;
  };
  std::vector<Mark> marks_;
};

}  // namespace kernmill::tasks
