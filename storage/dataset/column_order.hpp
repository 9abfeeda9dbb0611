#pragma once
#include <algorithm>
#include <cstdint>
#include <span>

/// Private to storage/: lists of columns are in ascending order.
namespace kernmill::storage {

/// The first column that is not above the one before, or not below `end`; columns.end() where all are.
inline std::span<const std::uint32_t>::iterator first_misplaced(std::span<const std::uint32_t> columns,
                                                                std::uint64_t end) {
  std::uint64_t next = 0;
  return std::find_if(columns.begin(), columns.end(), [&](std::uint32_t column) {
    const bool misplaced = column < next || column >= end;
    next = std::uint64_t{column} + 1;
    return misplaced;
  });
}

}  // namespace kernmill::storage
