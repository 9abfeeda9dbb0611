#pragma once
#include <cstdint>

namespace kernmill::tasks {

/// Tells a training that goes astray while its numbers are still finite.
class LossWatch {
 public:
  enum class Verdict {
    well,
    astray,  ///< for five epochs a hundred times the best loss and ten times the first one; said once
    lost,    ///< for ten epochs a million times either of them, and no lower than ten epochs ago
  };
  /// The loss of an epoch, or of an iteration.
  Verdict take(double loss);
  /// Whether the newest loss is such a one: what was trained until now is not worth keeping.
  [[nodiscard]] bool is_high() const { return high_ > 0; }
  [[nodiscard]] double best() const { return best_; }

 private:
  double first_ = 0, best_ = 0, lost_at_ = 0;
  std::uint64_t taken_ = 0, high_ = 0, very_high_ = 0;
};

}  // namespace kernmill::tasks
