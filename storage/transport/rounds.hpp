#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

/// Private to storage/: how ranks that write together take turns.
namespace kernmill::storage {

/// Bytes [begin, end) of something.
struct Extent {
  std::uint64_t begin = 0, end = 0;
  [[nodiscard]] std::uint64_t bytes() const { return end - begin; }
  [[nodiscard]] bool empty() const { return begin >= end; }
  friend bool operator==(const Extent&, const Extent&) = default;
};

/// What two have in common; empty where that is nothing.
inline Extent common(const Extent& a, const Extent& b) {
  const std::uint64_t begin = std::max(a.begin, b.begin);
  return {begin, std::max(begin, std::min(a.end, b.end))};
}

/// An extent in pieces that end at multiples of `bytes`.
std::vector<Extent> cut(const Extent& all, std::uint64_t bytes);

/// Windows of at most `bytes`, ascending, that together are what all ranks have. None has a gap in it: who
/// writes one for others has nothing to read first. And each is written at one stretch: ROMIO's two-phase
/// writing, cut into several, waits for ever when one of them fails.
std::vector<Extent> windows_over(std::vector<Extent> of_ranks, std::uint64_t bytes);

}  // namespace kernmill::storage
