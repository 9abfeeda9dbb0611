#pragma once
#include <functional>
#include <future>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "kernmill/tasks/learn/rows/reading.hpp"
#include "kernmill/tasks/learn/rows/rows.hpp"
#include "kernmill/tasks/models/network/network.hpp"

namespace kernmill::tasks {

/// Which rows: those of a range, or these in this order.
using RowSelection = std::variant<storage::IndexRange, std::vector<std::uint64_t>>;
std::uint64_t count_of(const RowSelection& rows);

/// Rows in the host's memory: dense features, or sparse ones, and the target as Rows reads it.
struct HostRows {
  std::vector<double> features, target;
  storage::SparseRows sparse;
  void read(const Rows& rows, const RowSelection& wanted);
  [[nodiscard]] std::uint64_t bytes() const;
};

/// Onto the device; where that is the host's memory, a view.
kernels::Matrix<kernels::Device> features_on_device(std::span<double> features, std::uint64_t columns);
/// The batch's labels or numbers, in the form that the loss takes them, and the rows' weights where there are
/// any, of a target as `rows` reads it.
void set_target(Batch& batch, Loss loss, std::span<double> target, const Rows& rows);

/// Both: a view of `host` where the device is the host.
Batch batch_of(const Rows& rows, Loss loss, HostRows& host);

/// Rows from a dataset onto the device, in the form that `loss` takes them.
class BatchLoader {
 public:
  BatchLoader(const Rows& rows, Loss loss) : rows_(&rows), loss_(loss) {}
  /// Valid until the next call.
  Batch load(const RowSelection& wanted);
  /// Reads what the next `load` will ask for, in a thread, while the caller computes. Its errors are those of
  /// that `load`.
  void prefetch(RowSelection wanted);
  /// What was loaded last, in the host's memory.
  [[nodiscard]] const HostRows& loaded() const { return now_; }
  [[nodiscard]] const Reading& reading() const { return reading_; }

 private:
  /// Rows that are being read, while `done` is valid; the memory is used again.
  struct Ahead {
    RowSelection wanted;
    HostRows rows;
    std::future<void> done;
  };
  /// Takes rows that were read ahead, if they are these.
  bool take_ahead(const RowSelection& wanted);

  const Rows* rows_;
  Loss loss_;
  HostRows now_;
  std::unique_ptr<Ahead> ahead_;
  Reading reading_;
};

}  // namespace kernmill::tasks
