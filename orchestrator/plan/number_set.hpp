#pragma once
#include <cstdint>
#include <optional>
#include <vector>

namespace kernmill {

/// A set of numbers below a fixed size that gives its smallest in constant time (six levels for 2^32):
/// bitmaps over bitmaps, 64-ary. Takes one bit a number and a little more.
class NumberSet {
 public:
  explicit NumberSet(std::uint32_t size = 0);

  void insert(std::uint32_t number);
  void erase(std::uint32_t number);
  [[nodiscard]] bool empty() const;
  [[nodiscard]] std::optional<std::uint32_t> smallest() const;

 private:
  /// A bit of level k + 1 is set when its word of level k is not zero; the last level has one word.
  std::vector<std::vector<std::uint64_t>> levels_;
};

}  // namespace kernmill
