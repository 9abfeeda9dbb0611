#pragma once
#include <memory>
#include <span>
#include <vector>

#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/learn/rows/chunk_source.hpp"
#include "kernmill/tasks/learn/rows/shards.hpp"

namespace kernmill::tasks {

/// The features of this rank's rows, and their weights where they are weighted, for methods that go over them
/// by shard (shards.hpp) again and again, and look at no target.
class ShardRows {
 public:
  /// Rows that lie together on the device.
  struct Chunk {
    std::size_t index;  ///< among this rank's
    storage::IndexRange rows;
  };
  /// Keeps the rows in memory where they take no more than `memory` bytes. Throws TaskError where they are
  /// sparse, or have no features. `rows` has to outlive it.
  ShardRows(const Communicator& comm, const Rows& rows, std::uint64_t memory);

  [[nodiscard]] std::uint64_t count() const { return rows_->count(); }
  [[nodiscard]] bool are_weighted() const { return rows_->is_weighted(); }
  [[nodiscard]] std::size_t features() const { return rows_->features(); }
  [[nodiscard]] const std::vector<Chunk>& chunks() const { return chunks_; }
  /// Those of a shard of this rank.
  [[nodiscard]] std::span<const Chunk> chunks_of(std::uint64_t shard) const;
  /// Valid until the next call. Cheapest in the order of the chunks.
  [[nodiscard]] kernels::Matrix<kernels::Device> features_of(const Chunk& chunk) {
    return source_->chunk(chunk.index).features;
  }
  /// Of rows that are weighted: the same as the rows of the chunk. Else empty.
  [[nodiscard]] std::span<const double> weights_of(const Chunk& chunk) const {
    return weights_.empty() ? std::span<const double>()
                            : std::span(weights_).subspan(chunk.rows.begin - chunks_.front().rows.begin,
                                                          chunk.rows.count());
  }
  /// Collective: the rows of these numbers, of whatever rank, one after the other; each rank names the same.
  [[nodiscard]] std::vector<double> read(std::span<const std::uint64_t> rows) const;
  [[nodiscard]] const Reading& reading() const { return source_->reading(); }

 private:
  [[nodiscard]] std::vector<double> weights_of_chunks() const;

  const Communicator* comm_;
  const Rows* rows_;
  ShardChunks ranges_;
  std::vector<Chunk> chunks_;
  std::unique_ptr<ChunkSource> source_;
  std::vector<double> weights_;  ///< of this rank's rows
};

/// Means of the features, and about how far rows are from them. The same bits on any number of ranks.
struct Spread {
  std::vector<double> mean;
  double squares = 0;   ///< summed squared distances from the mean
  double furthest = 0;  ///< the largest distance from the mean
};
/// Collective.
Spread spread_of(const Communicator& comm, ShardRows& rows);

}  // namespace kernmill::tasks
