#include "kernmill/storage/checkpoint/box.hpp"

#include <functional>
#include <numeric>

namespace kernmill::storage {

std::uint64_t volume_of(const Box& box) {
  return std::accumulate(box.extent.begin(), box.extent.end(), std::uint64_t{1}, std::multiplies<>{});
}

bool overlap(const Box& a, const Box& b) {
  for (std::size_t i = 0; i < a.offset.size(); ++i) {
    const std::uint64_t from = std::max(a.offset[i], b.offset[i]);
    if (from >= std::min(a.offset[i] + a.extent[i], b.offset[i] + b.extent[i])) return false;
  }
  return true;
}

Runs::Runs(const std::vector<std::uint64_t>& shape, const Box& box) {
  std::size_t outer = shape.size() - 1;  // a run spans this dimension, and all of those within
  while (outer > 0 && box.extent[outer] == shape[outer]) --outer;
  std::uint64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0; stride *= shape[i]) {
    first_ += box.offset[i] * stride;
    (i < outer ? count_ : length_) *= box.extent[i];
    if (i >= outer) continue;
    strides_.insert(strides_.begin(), stride);
    extents_.insert(extents_.begin(), box.extent[i]);
  }
  if (length_ == 0) count_ = 0;
}

std::uint64_t Runs::begin(std::uint64_t run) const {
  std::uint64_t at = first_;
  for (std::size_t i = extents_.size(); i-- > 0; run /= extents_[i]) at += run % extents_[i] * strides_[i];
  return at;
}

bool Runs::meets(std::uint64_t begin, std::uint64_t end) const {
  const std::uint64_t run = first_ending_after(begin);
  return run < count_ && this->begin(run) < end;
}

std::uint64_t Runs::first_ending_after(std::uint64_t element) const {
  std::uint64_t low = 0, high = count_;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    begin(middle) + length_ > element ? high = middle : low = middle + 1;
  }
  return low;
}

}  // namespace kernmill::storage
