#pragma once
#include <cstdint>

namespace kernmill::storage {

/// Items [begin, end) of something that is counted: rows, chunks, leaves of a sum.
struct IndexRange {
  std::uint64_t begin = 0, end = 0;
  [[nodiscard]] std::uint64_t count() const { return end - begin; }
};

/// The contiguous items that one of `parts` (1 or more, such as the ranks) has of all: the first
/// items % parts have one more than the others.
IndexRange even_share(std::uint64_t items, int part, int parts);
/// The part whose even share an item is in.
int owner_of(std::uint64_t item, std::uint64_t items, int parts);

}  // namespace kernmill::storage
