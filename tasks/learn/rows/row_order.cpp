#include "kernmill/tasks/learn/rows/row_order.hpp"

#include <algorithm>

namespace kernmill::tasks {
namespace {

// The blocks and the windows draw from streams of their own.
constexpr std::uint64_t blocks_key = 0x626c6f636b73ULL, window_key = 0x77696e646f77ULL;

std::uint64_t number_of_blocks(std::uint64_t rows, std::uint64_t block_rows) {
  return (rows + block_rows - 1) / block_rows;
}

kernels::TabulatedPermutation order_of(std::uint64_t rows, const Shuffle& shuffle, std::uint64_t seed,
                                       std::uint64_t epoch) {
  return shuffle.block_rows == 0 ? kernels::TabulatedPermutation(rows, seed, epoch)
                                 : kernels::TabulatedPermutation(number_of_blocks(rows, shuffle.block_rows),
                                                                 seed ^ blocks_key, epoch);
}

}  // namespace

Shuffle shuffle_of(const std::string& setting, std::uint64_t rows, std::uint64_t row_bytes) {
  constexpr std::uint64_t small = std::uint64_t{4} << 30, block = std::uint64_t{256} << 10;
  const bool by_block = setting == "block" || (setting == "auto" && rows * row_bytes > small);
  return {by_block ? std::max<std::uint64_t>(1, block / std::max<std::uint64_t>(row_bytes, 1)) : 0};
}

RowOrder::RowOrder(std::uint64_t rows, const Shuffle& shuffle, std::uint64_t seed, std::uint64_t epoch)
    : rows_(rows),
      seed_(seed),
      epoch_(epoch),
      shuffle_(shuffle),
      order_(order_of(rows, shuffle, seed, epoch)) {
  if (shuffle.block_rows == 0 || rows == 0) return;
  const std::uint64_t blocks = number_of_blocks(rows, shuffle.block_rows);
  missing_ = blocks * shuffle.block_rows - rows;
  while (missing_ != 0 && order_(short_at_) != blocks - 1) ++short_at_;
}

std::uint64_t RowOrder::operator()(std::uint64_t position) const {
  return shuffle_.block_rows == 0 ? order_(position) : in_blocks(position);
}

// Positions are counted as if every block were whole; those behind the short one are moved by what it lacks.
bool RowOrder::is_behind_short(std::uint64_t position) const {
  return missing_ != 0 && position + missing_ >= (short_at_ / shuffle_.window_blocks + 1) * window_rows();
}

std::uint64_t RowOrder::window_of(std::uint64_t position) const {
  return (is_behind_short(position) ? position + missing_ : position) / window_rows();
}

std::vector<storage::IndexRange> RowOrder::blocks_of(std::uint64_t window) const {
  std::vector<storage::IndexRange> blocks;
  const std::uint64_t first = window * shuffle_.window_blocks;
  for (std::uint64_t i = first; i < std::min(first + shuffle_.window_blocks, order_.size()); ++i) {
    const std::uint64_t begin = order_(i) * shuffle_.block_rows;
    blocks.push_back({begin, std::min(begin + shuffle_.block_rows, rows_)});
  }
  return blocks;
}

std::uint64_t RowOrder::in_blocks(std::uint64_t position) const {
  const std::uint64_t size = shuffle_.block_rows;
  const bool behind = is_behind_short(position);
  const std::uint64_t window = window_of(position);
  const std::uint64_t begin = window * window_rows() - (behind ? missing_ : 0);
  const bool has_short = missing_ != 0 && window == short_at_ / shuffle_.window_blocks;
  const std::uint64_t all = order_.size() * size;
  const std::uint64_t rows =
      std::min(all, (window + 1) * window_rows()) - window * window_rows() - (has_short ? missing_ : 0);
  const kernels::Permutation within(rows, seed_ ^ window_key ^ (window << 16U), epoch_);
  std::uint64_t at = within(position - begin);
  const std::uint64_t short_begin = (short_at_ - window * shuffle_.window_blocks) * size;
  if (has_short && at >= short_begin + size - missing_) at += missing_;
  return order_(window * shuffle_.window_blocks + at / size) * size + at % size;
}

}  // namespace kernmill::tasks
