#pragma once
#include <functional>
#include <future>
#include <memory>
#include <span>
#include <vector>

#include "kernmill/tasks/learn/rows/reading.hpp"
#include "kernmill/tasks/learn/rows/rows.hpp"
#include "kernmill/tasks/models/network.hpp"

namespace kernmill::tasks {

/// Rows from a dataset onto the device, in the form that `loss` takes them.
class BatchLoader {
 public:
  BatchLoader(const Rows& rows, Loss loss) : rows_(&rows), loss_(loss) {}
  /// The rows of a range, or these rows in this order. Valid until the next call.
  Batch load(storage::IndexRange range);
  Batch load(std::span<const std::uint64_t> numbers);
  /// Reads what the next `load` will ask for, in a thread, while the caller computes. Its errors are those of
  /// that `load`.
  void prefetch(std::vector<std::uint64_t> numbers);
  [[nodiscard]] const Reading& reading() const { return reading_; }

 private:
  /// Rows that are being read, while `done` is valid; the memory is used again.
  struct Ahead {
    std::vector<std::uint64_t> numbers;
    std::vector<double> features, target;
    std::future<void> done;
  };
  void resize(std::size_t rows);
  /// Takes rows that were read ahead, if they are these.
  bool take_ahead(std::span<const std::uint64_t> numbers);
  void wait_for(const std::function<void()>& read);
  Batch upload();

  const Rows* rows_;
  Loss loss_;
  std::vector<double> features_, target_;
  std::unique_ptr<Ahead> ahead_;
  Reading reading_;
};

/// Rows [first, first + count) of a batch: a view, not a copy.
Batch part_of(const Batch& batch, std::size_t first, std::size_t count);

}  // namespace kernmill::tasks
