#pragma once
#include <optional>
#include <string>

#include "kernmill/tasks/learn/rows/batch.hpp"
#include "kernmill/tasks/learn/rows/compact_columns.hpp"
#include "kernmill/tasks/learn/rows/device_part.hpp"
#include "kernmill/tasks/learn/rows/kept_part.hpp"
#include "kernmill/tasks/learn/rows/row_order.hpp"
#include "kernmill/tasks/learn/rows/window_rows.hpp"

namespace kernmill::tasks {

/// How the rows of a batch come from the file: one by one, or, of a shuffle by blocks, from whole windows of
/// it.
enum class Reads { rows, large };

/// In which order rows come, and from where. None of it but the first three changes which come when.
struct StepOrder {
  std::string shuffle = "auto";  ///< row_order.hpp
  std::uint64_t seed = 0, batch_size = 1;
  Reads reads = Reads::rows;
  std::uint64_t memory = 0;  ///< all dense rows are kept where they take no more bytes; the same on all ranks
};

/// Some rows of a step's batch: by their places in it.
struct StepRange {
  std::uint64_t step = 0;
  storage::IndexRange places;
};

/// The rows of a training in mini-batches, step by step. An epoch's order is a permutation keyed by (seed,
/// epoch), so that the number of steps done is the whole position in the data.
template <class T>
class StepRows {
 public:
  /// `comm`: the ranks that share the rows. It, and `rows`, have to outlive it.
  StepRows(const Communicator& comm, const Rows& rows, Loss loss, const StepOrder& order);

  [[nodiscard]] std::uint64_t count() const { return rows_->count(); }
  /// Steps of an epoch.
  [[nodiscard]] std::uint64_t batches() const { return batches_; }
  /// Rows of a step's batch, the last of an epoch may have fewer.
  [[nodiscard]] std::uint64_t rows_of(std::uint64_t step) const;
  /// Whether a batch's rows have to be taken in one go: sparse ones know their features by the whole batch.
  [[nodiscard]] bool comes_whole() const { return rows_->is_sparse(); }
  /// On the device, valid until the next call; perhaps none. `next` is what will be asked for then: it is
  /// read meanwhile. Each rank asks for its own rows; of sparse ones, and of large reads, that is collective.
  BatchOf<T> take(const StepRange& wanted, const std::optional<StepRange>& next);
  /// Of sparse rows: the features that the last batch has anything of.
  [[nodiscard]] const std::vector<std::uint32_t>& features() const { return compact_.features(); }
  [[nodiscard]] const Reading& reading() const;

 private:
  [[nodiscard]] std::vector<std::uint64_t> numbers_of(const StepRange& range);
  [[nodiscard]] Batch load(const StepRange& wanted, const std::optional<StepRange>& next);

  const Communicator* comm_;
  const Rows* rows_;
  Loss loss_;
  std::uint64_t seed_, batch_size_, batches_;
  Shuffle shuffle_;
  std::optional<RowOrder> order_;
  std::uint64_t epoch_ = 0;  ///< of the order
  BatchLoader loader_;
  std::optional<WindowRows> windows_;  ///< in its place where single rows are dear
  std::optional<KeptPart> kept_;       ///< in its place once some were wanted, where there is room for all
  bool keeps_rows_ = false;
  std::optional<DevicePart<T>> on_device_;  ///< in the place of both where the device has its own memory
  bool keeps_rows_on_device_ = false;
  CompactColumns compact_;
  BatchAs<T> as_;
};

}  // namespace kernmill::tasks
