#pragma once
#include <memory>
#include <vector>

#include "kernmill/tasks/learn/rows/batch.hpp"

namespace kernmill::tasks {

/// Chunks of rows that are gone over again and again.
class ChunkSource {
 public:
  virtual ~ChunkSource() = default;
  /// Valid until the next call. Cheapest in the order of the chunks.
  virtual Batch chunk(std::size_t index) = 0;
  /// Rows [first, first + count) of a chunk. Valid until the next call. Where rows have to be decoded it is
  /// these alone.
  virtual Batch part(std::size_t index, std::size_t first, std::size_t count);
  /// What these rows should give, maybe without the features.
  virtual Batch targets(std::size_t index, std::size_t first, std::size_t count) {
    return part(index, first, count);
  }
  /// What has been read so far.
  [[nodiscard]] virtual const Reading& reading() const = 0;

 private:
  Batch loaded_;  ///< the chunk of the last part
  std::size_t loaded_index_ = 0;
};

/// Keeps the rows in memory, as they are stored, where they take no more than `memory` bytes. Else each chunk
/// is read whenever it is wanted, and the next one meanwhile. The chunks are neighbours, in order; they hold
/// the same bits either way. `rows` has to outlive it.
std::unique_ptr<ChunkSource> open_chunk_source(const Rows& rows, Loss loss,
                                               std::vector<storage::IndexRange> chunks, std::uint64_t memory);

}  // namespace kernmill::tasks
