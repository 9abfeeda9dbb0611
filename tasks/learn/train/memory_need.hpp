#pragma once
#include <cstdint>
#include <string>

#include "kernmill/tasks/learn/rows/rows.hpp"
#include "kernmill/tasks/learn/train/settings.hpp"
#include "kernmill/tasks/models/network/network.hpp"

namespace kernmill::tasks {

/// About how much memory a rank will need at most, in bytes; real, so that no product wraps.
struct MemoryNeed {
  double model = 0;        ///< parameters, gradient, what the optimizer keeps of them, and sums over shards
  double activations = 0;  ///< of all rows that are on their way at a time
  double rows = 0;         ///< that are kept, or read ahead
  double checkpoints = 0;  ///< copies that are written meanwhile
  [[nodiscard]] double all() const { return model + activations + rows + checkpoints; }
};

/// What a rank's memory is shared out among.
struct MemoryLayout {
  int ranks = 1;
  int ranks_on_node = 1;
  double node = 0;   ///< bytes that all ranks of a node may have together
  double cache = 0;  ///< bytes a rank may keep rows in
  bool keeps_checkpoints = false;
  Layout layers{};              ///< plain: every rank has all layers
  bool may_cut_layers = false;  ///< whether more ranks could share them
  [[nodiscard]] double limit() const { return node / ranks_on_node; }
};

/// The rows, for an estimate.
struct RowsSize {
  std::uint64_t count = 0, row_bytes = 0, held_out = 0;
};

MemoryNeed memory_need(const OptimizerSettings& optimizer, const NetworkShape& shape, const RowsSize& rows,
                       const MemoryLayout& layout);

/// "memory: about 41.2 MiB a rank, of 7.5 GiB (model and optimizer 12 MiB, ...)".
std::string text_of(const MemoryNeed& need, const MemoryLayout& layout);

/// Throws TaskError where it is more than there is: with the figures, and with what would fit.
void require_room(const OptimizerSettings& optimizer, const NetworkShape& shape, const RowsSize& rows,
                  const MemoryLayout& layout);

}  // namespace kernmill::tasks
