#pragma once
#include <array>
#include <cstdint>
#include <span>

namespace kernmill::tasks {

/// A sum of doubles without rounding, so that neither their order nor the number of ranks can change a bit: a
/// fixed-point number wide enough for every double (Kulisch's accumulator), in digits of 32 bits that are
/// kept in 64 so that carries can wait. Sums of ranks are added digit by digit, as integers.
class ExactSum {
 public:
  static constexpr std::size_t size = 68;  ///< 2^-1074 .. 2^1023, and room for 2^63 summands
  using Digits = std::array<std::int64_t, size>;

  /// Finite values only.
  void add(double value);
  /// To be summed over the ranks, and put back.
  std::span<std::int64_t> digits();
  /// Rounded once, at the end.
  [[nodiscard]] double value() const;

 private:
  void carry();
  Digits digits_{};
  std::uint32_t added_ = 0;  ///< since the last carry
};

}  // namespace kernmill::tasks
