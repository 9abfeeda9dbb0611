#include "kernmill/tasks/learn/rows/window_rows.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <stdexcept>

namespace kernmill::tasks {

bool WindowRows::can_read(const Rows& rows, const Shuffle& shuffle) {
  return shuffle.block_rows != 0 && !rows.is_sparse() && rows.is_whole_part();
}

void WindowRows::hold(const RowOrder& order, std::uint64_t epoch, std::uint64_t begin, std::uint64_t end) {
  if (begin == end) return;
  const auto start = std::chrono::steady_clock::now();
  const double waited = comm_->seconds_waited();  // for other ranks, not for the file
  const std::uint64_t first = order.window_of(begin), last = order.window_of(end - 1);
  if (epoch != epoch_) windows_.clear();
  epoch_ = epoch;
  std::erase_if(windows_, [&](const auto& held) { return held.first < first || held.first > last; });
  for (std::uint64_t window = first; window <= last; ++window)
    if (!windows_.contains(window)) windows_.emplace(window, read(order.blocks_of(window)));
  reading_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() -
                      (comm_->seconds_waited() - waited);
}

WindowRows::Window WindowRows::read(const std::vector<storage::IndexRange>& blocks) {
  const auto own = storage::even_share(blocks.size(), comm_->rank(), comm_->size());
  const auto mine = std::span(blocks).subspan(own.begin, own.count());
  const std::uint64_t most = storage::even_share(blocks.size(), 0, comm_->size()).count();
  const std::uint64_t row_bytes = rows_->stored_row_bytes(), width = rows_->target_width();
  std::vector<char> stored;
  std::vector<double> target;
  comm_->agree([&] {
    for (const storage::IndexRange& range : mine) {
      const std::size_t values = target.size();
      stored.resize(stored.size() + range.count() * row_bytes);
      target.resize(values + range.count() * width);
      rows_->read(range, std::span<double>(), std::span(target).subspan(values));
    }
  });
  auto rest = std::as_writable_bytes(std::span(stored));
  for (std::uint64_t i = 0; i < most; ++i) {  // the same number of calls on every rank
    const auto range = i < mine.size() ? mine[i] : storage::IndexRange{};
    rows_->read_stored_together(range, rest.first(range.count() * row_bytes));
    rest = rest.subspan(range.count() * row_bytes);
  }
  reading_.bytes += stored.size() + target.size() * sizeof(double);
  Window window{comm_->allgatherv(std::span<const char>(stored)),
                comm_->allgatherv(std::span<const double>(target)),
                {}};
  std::uint64_t at = 0;
  for (const storage::IndexRange& range : blocks) {
    window.blocks.push_back(
        {range, window.stored.data() + at * row_bytes, window.target.data() + at * width});
    at += range.count();
  }
  std::sort(window.blocks.begin(), window.blocks.end(),
            [](const Block& a, const Block& b) { return a.rows.begin < b.rows.begin; });
  return window;
}

const WindowRows::Block& WindowRows::block_of(std::uint64_t row) const {
  for (const auto& [number, window] : windows_) {
    const auto behind =
        std::upper_bound(window.blocks.begin(), window.blocks.end(), row,
                         [](std::uint64_t value, const Block& block) { return value < block.rows.begin; });
    if (behind != window.blocks.begin() && row < std::prev(behind)->rows.end) return *std::prev(behind);
  }
  throw std::out_of_range("the row is in none of the windows that are held");
}

Batch WindowRows::load(std::span<const std::uint64_t> numbers) {
  return gathered_(numbers, [&](std::uint64_t row) {
    const Block& block = block_of(row);
    const std::uint64_t within = row - block.rows.begin;
    return StoredRow{block.stored + within * rows_->stored_row_bytes(),
                     block.target + within * rows_->target_width()};
  });
}

}  // namespace kernmill::tasks
