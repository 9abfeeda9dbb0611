#pragma once
#include <cstdint>
#include <vector>

#include "kernmill/storage/even_share.hpp"

namespace kernmill::tasks {

/// The run of leaves that each rank works on, in the order of the ranks: one behind the other, all of them
/// together. A rank may have none.
using LeafShares = std::vector<storage::IndexRange>;

inline LeafShares even_shares(std::uint64_t leaves, int ranks) {
  LeafShares shares;
  shares.reserve(static_cast<std::size_t>(ranks));
  for (int rank = 0; rank < ranks; ++rank) shares.push_back(storage::even_share(leaves, rank, ranks));
  return shares;
}

}  // namespace kernmill::tasks
