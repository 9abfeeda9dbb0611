#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "kernmill/tasks/learn/rows/gathered_rows.hpp"

namespace kernmill::tasks {

/// All dense rows of a part in this rank's memory, as they are stored: batches take theirs from anywhere.
class KeptPart {
 public:
  /// What that takes.
  static std::uint64_t bytes_of(const Rows& rows) {
    return rows.count() * (rows.stored_row_bytes() + rows.target_width() * sizeof(double));
  }
  /// `rows` has to outlive it.
  KeptPart(const Rows& rows, Loss loss);

  /// The rows of these numbers, in this order. Valid until the next call.
  Batch load(std::span<const std::uint64_t> numbers);
  [[nodiscard]] const Reading& reading() const { return reading_; }

 private:
  const Rows* rows_;
  std::vector<std::byte> stored_;
  std::vector<double> target_;
  GatheredRows gathered_;
  Reading reading_;
};

}  // namespace kernmill::tasks
