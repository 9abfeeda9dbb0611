#pragma once
#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/data/store/row_store.hpp"

namespace kernmill::tasks {

/// Collective: RowStore::each_block on every rank, as often on each. A rank that has no more blocks takes
/// part with empty ones.
inline void each_block_together(const Communicator& comm, const RowStore& rows, const RowStore::Work& work) {
  std::uint64_t rounds =
      comm.allreduce((rows.rows() + rows.block_rows() - 1) / rows.block_rows(), Reduction::max);
  rows.each_block([&](std::uint64_t first, std::span<const double> block) {
    work(first, block);
    --rounds;
  });
  for (; rounds > 0; --rounds) work(rows.rows(), {});
}

}  // namespace kernmill::tasks
