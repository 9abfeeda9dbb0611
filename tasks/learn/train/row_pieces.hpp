#pragma once
#include <algorithm>
#include <memory>
#include <vector>

#include "kernmill/tasks/learn/rows/chunk_source.hpp"
#include "kernmill/tasks/learn/rows/shards.hpp"
#include "kernmill/tasks/learn/train/balance.hpp"

namespace kernmill::tasks {

/// Over which rows a full-batch method goes, and how.
struct RowPlan {
  std::uint64_t memory = 0;            ///< a rank's rows are kept where they take no more bytes
  std::uint64_t shards = shard_count;  ///< a power of two
  const std::vector<double>* class_weights = nullptr;  ///< none: each row counts once
  BalanceSettings balancing{};
  double weight = 0;  ///< of all rows together
};

/// This rank's shards of the rows, in pieces of a fixed number of rows: the same pieces on any number of
/// ranks, and wherever the rows are kept.
class RowPieces {
 public:
  /// `own` are the rank's shards; `piece_rows` divides Network::chunk_rows. `rows` has to outlive it.
  RowPieces(const Rows& rows, Loss loss, const RowPlan& plan, storage::IndexRange own,
            std::size_t piece_rows);

  [[nodiscard]] std::uint64_t rows_here() const {
    return chunks_.all().empty() ? 0 : chunks_.all().back().end - chunks_.all().front().begin;
  }
  [[nodiscard]] const Reading& reading() const { return source_->reading(); }

  /// Calls back with each piece of a shard of this rank, in order, and with how many of the rank's rows are
  /// before it. A piece is valid until the next.
  template <class Take>
  void each(std::uint64_t shard, const Take& take) {
    each_from(
        shard, [&](auto... piece) { return source_->part(piece...); }, take);
  }
  /// The same, maybe without the features.
  template <class Take>
  void each_target(std::uint64_t shard, const Take& take) {
    each_from(
        shard, [&](auto... piece) { return source_->targets(piece...); }, take);
  }

 private:
  template <class Get, class Take>
  void each_from(std::uint64_t shard, const Get& get, const Take& take) {
    const storage::IndexRange chunks = chunks_.of(shard);
    for (std::uint64_t i = chunks.begin; i < chunks.end; ++i) {
      const storage::IndexRange& chunk = chunks_.all()[i];
      const std::uint64_t before = chunk.begin - chunks_.all().front().begin;
      for (std::size_t first = 0; first < chunk.count(); first += piece_rows_)
        take(get(i, first, std::min<std::size_t>(piece_rows_, chunk.count() - first)), before + first);
    }
  }

  std::size_t piece_rows_;
  ShardChunks chunks_;
  std::unique_ptr<ChunkSource> source_;
};

}  // namespace kernmill::tasks
