#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernmill/storage/even_share.hpp"

namespace kernmill::tasks {

/// Into how many contiguous pieces the rows of a full-batch method are cut, whatever the number of ranks.
inline constexpr std::uint64_t shard_count = 64;

inline storage::IndexRange shard_of(std::uint64_t rows, std::uint64_t shard) {
  return storage::even_share(rows, static_cast<int>(shard), static_cast<int>(shard_count));
}

/// Cuts a range into chunks of so many rows; the last one may be shorter.
inline void append_chunks(storage::IndexRange range, std::uint64_t rows,
                          std::vector<storage::IndexRange>& chunks) {
  for (std::uint64_t at = range.begin; at < range.end; at += rows)
    chunks.push_back({at, std::min(at + rows, range.end)});
}

}  // namespace kernmill::tasks
