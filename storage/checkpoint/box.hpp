#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace kernmill::storage {

/// Part of a row-major tensor: in each dimension [offset, offset + extent).
struct Box {
  std::vector<std::uint64_t> offset, extent;
  bool operator==(const Box&) const = default;
};

std::uint64_t volume_of(const Box& box);
/// Whether they have an element in common. Both are boxes of one tensor.
bool overlap(const Box& a, const Box& b);

/// A box as runs of elements that follow one another both in the tensor and in the box, in ascending order:
///
///     tensor 3 x 6     . . . . . .
///     box 2 x 3        . a b c . .     two runs of three: elements 7 and 13 of the tensor, 0 and 3 of the
///     box
///                      . d e f . .
class Runs {
 public:
  Runs(const std::vector<std::uint64_t>& shape, const Box& box);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t length() const { return length_; }
  /// Where a run begins in the tensor.
  [[nodiscard]] std::uint64_t begin(std::uint64_t run) const;
  /// Whether elements [begin, end) of the tensor have any in common with the box.
  [[nodiscard]] bool meets(std::uint64_t begin, std::uint64_t end) const;

  /// Calls visit(first element in the tensor, first in the box, how many) for what the box has of elements
  /// [begin, end) of the tensor.
  template <class Visit>
  void each(std::uint64_t begin, std::uint64_t end, const Visit& visit) const {
    for (std::uint64_t run = first_ending_after(begin); run < count_; ++run) {
      const std::uint64_t start = this->begin(run);
      const std::uint64_t from = std::max(start, begin), to = std::min(start + length_, end);
      if (from >= to) return;
      visit(from, run * length_ + (from - start), to - from);
    }
  }

 private:
  [[nodiscard]] std::uint64_t first_ending_after(std::uint64_t element) const;

  std::vector<std::uint64_t> strides_, extents_;  ///< of the dimensions outside a run
  std::uint64_t first_ = 0, length_ = 1, count_ = 1;
};

}  // namespace kernmill::storage
