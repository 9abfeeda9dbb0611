#pragma once
#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/data/store/row_store.hpp"

namespace kernmill::tasks {

/// Collective. The ranks' rows, one rank's behind the other's, are cut into blocks of `block_rows`; each rank
/// does the `work`, which must not communicate, on the blocks that begin with a row of its own. So which rows
/// a block has does not depend on the number of ranks.
void each_aligned_block(const Communicator& comm, const RowStore& rows, std::uint64_t block_rows,
                        const std::function<void(std::span<const double> block)>& work);

}  // namespace kernmill::tasks
