#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kernmill/kernels/tabulated_permutation.hpp"
#include "kernmill/storage/even_share.hpp"

namespace kernmill::tasks {

/// How an epoch's order is drawn. Rows that are neighbours in the file form blocks; the blocks come in the
/// order of a keyed permutation, and the rows of so many of them, a window, in that of another. What is read
/// at about the same time then lies in one window: it fits into memory when the data does not.
struct Shuffle {
  std::uint64_t block_rows = 0;  ///< 0: all rows in one permutation
  std::uint64_t window_blocks = 256;
};

/// "full", "block", or "auto": by block where the rows take more than 4 GiB. (Not where they take more than
/// this machine's memory: another machine would then train another model.)
Shuffle shuffle_of(const std::string& setting, std::uint64_t rows, std::uint64_t row_bytes);

/// The order of an epoch: which row is at a position. A function of (epoch, seed, position) alone, so that
/// any number of ranks, and a run that is continued, go on in the same order. Each row comes exactly once.
class RowOrder {
 public:
  RowOrder(std::uint64_t rows, const Shuffle& shuffle, std::uint64_t seed, std::uint64_t epoch);
  [[nodiscard]] std::uint64_t operator()(std::uint64_t position) const;
  [[nodiscard]] const Shuffle& shuffle() const { return shuffle_; }
  /// By blocks: the window that a position is in, and the rows of a window's blocks.
  [[nodiscard]] std::uint64_t window_of(std::uint64_t position) const;
  [[nodiscard]] std::vector<storage::IndexRange> blocks_of(std::uint64_t window) const;

 private:
  [[nodiscard]] std::uint64_t in_blocks(std::uint64_t position) const;
  [[nodiscard]] std::uint64_t window_rows() const { return shuffle_.block_rows * shuffle_.window_blocks; }
  [[nodiscard]] bool is_behind_short(std::uint64_t position) const;
  std::uint64_t rows_, seed_, epoch_;
  Shuffle shuffle_;
  std::uint64_t missing_ = 0;            ///< rows that the last block has fewer than the others
  std::uint64_t short_at_ = 0;           ///< where that block comes in the order of the blocks
  kernels::TabulatedPermutation order_;  ///< of the blocks, or of all rows
};

}  // namespace kernmill::tasks
