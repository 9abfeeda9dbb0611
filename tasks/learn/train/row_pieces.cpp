#include "kernmill/tasks/learn/train/row_pieces.hpp"

namespace kernmill::tasks {

RowPieces::RowPieces(const Rows& rows, Loss loss, const RowPlan& plan, storage::IndexRange own,
                     std::size_t piece_rows)
    : piece_rows_(piece_rows),
      chunks_(rows.count(), own, Network::chunk_rows, plan.shards),
      source_(open_chunk_source(rows, loss, chunks_.all(), plan.memory)) {}

}  // namespace kernmill::tasks
