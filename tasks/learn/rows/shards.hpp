#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernmill/storage/even_share.hpp"

namespace kernmill::tasks {

/// Into how many contiguous pieces rows are cut, whatever the number of ranks: a power of two, and the most
/// ranks that can share them. A full-batch method has `shards` for it; evaluation always has so many.
inline constexpr std::uint64_t shard_count = 64;
inline constexpr std::uint64_t most_shards = 4096;

inline storage::IndexRange shard_of(std::uint64_t rows, std::uint64_t shard,
                                    std::uint64_t shards = shard_count) {
  return storage::even_share(rows, static_cast<int>(shard), static_cast<int>(shards));
}

/// Cuts a range into chunks of so many rows; the last one may be shorter.
inline void append_chunks(storage::IndexRange range, std::uint64_t rows,
                          std::vector<storage::IndexRange>& chunks) {
  for (std::uint64_t at = range.begin; at < range.end; at += rows)
    chunks.push_back({at, std::min(at + rows, range.end)});
}

/// The chunks that some neighbouring shards, a rank's, are gone over in: the same on any number of ranks.
class ShardChunks {
 public:
  ShardChunks(std::uint64_t rows, storage::IndexRange own, std::uint64_t chunk_rows,
              std::uint64_t shards = shard_count)
      : first_shard_(own.begin) {
    for (std::uint64_t shard = own.begin; shard < own.end; ++shard) {
      first_.push_back(chunks_.size());
      append_chunks(shard_of(rows, shard, shards), chunk_rows, chunks_);
    }
    first_.push_back(chunks_.size());
  }
  /// All of them, in order.
  [[nodiscard]] const std::vector<storage::IndexRange>& all() const { return chunks_; }
  /// Which of these are of a shard.
  [[nodiscard]] storage::IndexRange of(std::uint64_t shard) const {
    return {first_[shard - first_shard_], first_[shard - first_shard_ + 1]};
  }

 private:
  std::uint64_t first_shard_;
  std::vector<std::uint64_t> first_;  ///< of each shard, and the end
  std::vector<storage::IndexRange> chunks_;
};

}  // namespace kernmill::tasks
