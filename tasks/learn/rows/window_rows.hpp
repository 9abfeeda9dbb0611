#pragma once
#include <map>
#include <span>
#include <vector>

#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/learn/rows/gathered_rows.hpp"
#include "kernmill/tasks/learn/rows/row_order.hpp"

namespace kernmill::tasks {

/// For file systems on which single rows are dear: the windows of a block shuffle, read in whole blocks, some
/// by each rank, and kept in memory as they are stored while batches take their rows from them.
class WindowRows {
 public:
  /// Whether these rows can be read so: dense ones, of a whole part, in an order by blocks.
  static bool can_read(const Rows& rows, const Shuffle& shuffle);

  WindowRows(const Communicator& comm, const Rows& rows, Loss loss)
      : comm_(&comm), rows_(&rows), gathered_(rows, loss) {}

  /// Collective. Has the windows of positions [begin, end) in memory, and no others.
  void hold(const RowOrder& order, std::uint64_t epoch, std::uint64_t begin, std::uint64_t end);
  /// Rows of these windows, in this order. Valid until the next call.
  Batch load(std::span<const std::uint64_t> numbers);
  [[nodiscard]] const Reading& reading() const { return reading_; }

 private:
  struct Block {
    storage::IndexRange rows;
    const char* stored;
    const double* target;
  };
  struct Window {
    std::vector<char> stored;
    std::vector<double> target;
    std::vector<Block> blocks;  ///< by their first row
  };
  [[nodiscard]] Window read(const std::vector<storage::IndexRange>& blocks);
  [[nodiscard]] const Block& block_of(std::uint64_t row) const;

  const Communicator* comm_;
  const Rows* rows_;
  std::uint64_t epoch_ = 0;
  std::map<std::uint64_t, Window> windows_;
  GatheredRows gathered_;
  Reading reading_;
};

}  // namespace kernmill::tasks
