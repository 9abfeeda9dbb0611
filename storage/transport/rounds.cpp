#include "kernmill/storage/transport/rounds.hpp"

namespace kernmill::storage {

std::vector<Extent> cut(const Extent& all, std::uint64_t bytes) {
  std::vector<Extent> pieces;
  for (std::uint64_t at = all.begin; at < all.end; at = pieces.back().end)
    pieces.push_back({at, std::min(all.end, (at / bytes + 1) * bytes)});
  return pieces;
}

std::vector<Extent> windows_over(std::vector<Extent> of_ranks, std::uint64_t bytes) {
  std::erase_if(of_ranks, [](const Extent& extent) { return extent.empty(); });
  std::sort(of_ranks.begin(), of_ranks.end(),
            [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  std::vector<Extent> runs;
  for (const Extent& extent : of_ranks) {
    if (runs.empty() || extent.begin > runs.back().end)
      runs.push_back(extent);
    else
      runs.back().end = std::max(runs.back().end, extent.end);
  }
  std::vector<Extent> windows;
  for (const Extent& run : runs)
    for (const Extent& window : cut(run, bytes)) windows.push_back(window);
  return windows;
}

}  // namespace kernmill::storage
