#include "kernmill/tasks/data/store/aligned_blocks.hpp"

#include <algorithm>

namespace kernmill::tasks {
namespace {

/// The rank that holds a row, of ranks whose rows begin there.
std::size_t holder_of(const std::vector<std::uint64_t>& first, std::uint64_t row) {
  return static_cast<std::size_t>(std::upper_bound(first.begin(), first.end(), row) - first.begin()) - 1;
}

/// Sends the first `count` rows to the rank where their block begins; returns what others sent here.
std::vector<double> passed_on(const Communicator& comm, const RowStore& rows, std::uint64_t count,
                              std::size_t to) {
  std::vector<double> head;
  comm.agree([&] {
    if (count == 0) return;
    rows.each_block([&](std::uint64_t first, std::span<const double> block) {
      if (first >= count) return;
      const auto wanted = std::min<std::uint64_t>(block.size(), (count - first) * rows.width());
      head.insert(head.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(wanted));
    });
  });
  std::vector<std::uint64_t> sent(static_cast<std::size_t>(comm.size()), 0), received;
  sent[to] = head.size();
  return comm.alltoallv(std::span<const double>(head), std::span<const std::uint64_t>(sent), received);
}

}  // namespace

void each_aligned_block(const Communicator& comm, const RowStore& rows, std::uint64_t block_rows,
                        const std::function<void(std::span<const double> block)>& work) {
  const std::uint64_t own = rows.rows(), begin = comm.exscan(own);
  const std::uint64_t block_begin = begin / block_rows * block_rows;
  const std::uint64_t head = begin == block_begin ? 0 : std::min(own, block_begin + block_rows - begin);
  const auto first = comm.allgatherv(std::span<const std::uint64_t>(&begin, 1));
  const std::vector<double> tail = passed_on(comm, rows, head, holder_of(first, block_begin));
  comm.agree([&] {
    std::vector<double> block;
    const std::size_t whole = block_rows * rows.width();
    const auto take = [&](std::span<const double> more) {
      while (!more.empty()) {
        const std::size_t count = std::min(more.size(), whole - block.size());
        block.insert(block.end(), more.begin(), more.begin() + static_cast<std::ptrdiff_t>(count));
        more = more.subspan(count);
        if (block.size() < whole) return;
        work(block);
        block.clear();
      }
    };
    rows.each_block([&](std::uint64_t at, std::span<const double> some) {
      const std::uint64_t skipped =
          at >= head ? 0 : std::min<std::uint64_t>(head - at, some.size() / rows.width());
      take(some.subspan(skipped * rows.width()));
    });
    take(tail);
    if (!block.empty()) work(block);
  });
}

}  // namespace kernmill::tasks
