#include "kernmill/tasks/learn/train/row_pieces.hpp"

namespace kernmill::tasks {

RowPieces::RowPieces(const Rows& rows, Loss loss, const RowPlan& plan, storage::IndexRange own,
                     std::size_t piece_rows)
    : own_(own),
      piece_rows_(piece_rows),
      chunks_(own_chunks(rows.count(), plan.shards)),
      source_(open_chunk_source(rows, loss, chunks_, plan.memory)) {}

std::vector<storage::IndexRange> RowPieces::own_chunks(std::uint64_t rows, std::uint64_t shards) {
  std::vector<storage::IndexRange> chunks;
  for (std::uint64_t shard = own_.begin; shard < own_.end; ++shard) {
    first_chunk_.push_back(chunks.size());
    append_chunks(shard_of(rows, shard, shards), Network::chunk_rows, chunks);
  }
  first_chunk_.push_back(chunks.size());
  return chunks;
}

}  // namespace kernmill::tasks
