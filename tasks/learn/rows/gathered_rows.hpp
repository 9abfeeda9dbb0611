#pragma once
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "kernmill/tasks/learn/rows/batch.hpp"

namespace kernmill::tasks {

/// A dense row as it is stored, in memory, and its target as Rows reads it.
struct StoredRow {
  const void* features;
  const double* target;
};

/// Batches of rows that lie in memory as they are stored.
class GatheredRows {
 public:
  /// `rows`, of which they are, has to outlive it.
  GatheredRows(const Rows& rows, Loss loss) : rows_(&rows), loss_(loss) {}

  /// The rows of these numbers, in this order; `find` says where each lies. Valid until the next call.
  template <class Find>
  Batch operator()(std::span<const std::uint64_t> numbers, const Find& find) {
    const std::uint64_t bytes = rows_->stored_row_bytes(), width = rows_->target_width();
    stored_.resize(numbers.size() * bytes);
    now_.target.resize(numbers.size() * width);
    now_.features.resize(numbers.size() * rows_->features());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const StoredRow row = find(numbers[i]);
      std::memcpy(stored_.data() + i * bytes, row.features, bytes);
      std::copy_n(row.target, width, now_.target.data() + i * width);
    }
    rows_->decode(stored_, now_.features);
    return batch_of(*rows_, loss_, now_);
  }

 private:
  const Rows* rows_;
  Loss loss_;
  std::vector<std::byte> stored_;
  HostRows now_;
};

}  // namespace kernmill::tasks
