#pragma once
#include <cstddef>
#include <span>

#include "kernmill/kernels/gather.hpp"
#include "kernmill/tasks/learn/rows/batch.hpp"

namespace kernmill::tasks {

/// All dense rows of a part in the device's memory, in the element type that is computed in: batches are
/// gathered there, so that a step sends it no more than the numbers of its rows.
template <class T>
class DevicePart {
 public:
  /// What that takes.
  static std::uint64_t bytes_of(const Rows& rows) {
    return rows.count() * (rows.features() * sizeof(T) + rows.target_width() * sizeof(double));
  }
  /// Reads them.
  DevicePart(const Rows& rows, Loss loss);

  /// The rows of these numbers, in this order, on the device. Valid until the next call.
  BatchOf<T> load(std::span<const std::uint64_t> numbers);
  [[nodiscard]] const Reading& reading() const { return reading_; }

 private:
  void take(const BatchOf<T>& rows, std::size_t first);
  void reserve(std::size_t rows);

  BatchOf<T> all_, batch_;  ///< batch_: room for the largest so far
  kernels::RowNumbers<kernels::Device> numbers_;
  Reading reading_;
};

}  // namespace kernmill::tasks
