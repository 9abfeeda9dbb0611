#include "kernmill/tasks/learn/train/balance.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

#include <fmt/format.h>

namespace kernmill::tasks {
namespace {

constexpr double most_patience = 16;

}  // namespace

LeafShares shares_by_speed(std::uint64_t leaves, std::span<const double> speeds) {
  const std::size_t ranks = speeds.size();
  std::vector<std::uint64_t> counts(ranks, leaves >= ranks ? 1 : 0);
  using Turn = std::pair<double, std::size_t>;  // when it would be done with one more, and who
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
  const auto queue = [&](std::size_t rank) {
    turns.emplace(static_cast<double>(counts[rank] + 1) / speeds[rank], rank);
  };
  for (std::size_t rank = 0; rank < ranks; ++rank) queue(rank);
  for (std::uint64_t given = leaves >= ranks ? ranks : 0; given < leaves; ++given) {
    const std::size_t rank = turns.top().second;
    turns.pop();
    ++counts[rank];
    queue(rank);
  }
  LeafShares shares;
  std::uint64_t at = 0;
  for (const std::uint64_t count : counts) {
    shares.push_back({at, at + count});
    at += count;
  }
  return shares;
}

RowBalance::RowBalance(std::uint64_t leaves, int ranks, const BalanceSettings& settings)
    : leaves_(leaves),
      settings_(settings),
      // With fewer leaves than ranks somebody has none, whose speed is not known.
      is_dynamic_(settings.balancing == Balancing::dynamic && ranks > 1 &&
                  leaves >= static_cast<std::uint64_t>(ranks)),
      shares_(even_shares(leaves, ranks)),
      seconds_(static_cast<std::size_t>(ranks), 0) {}

void RowBalance::take(std::span<const double> seconds) {
  if (!is_dynamic_) return;
  if (std::exchange(is_first_, false)) return;
  ++sums_;
  for (std::size_t rank = 0; rank < seconds_.size(); ++rank) seconds_[rank] += seconds[rank];
}

bool RowBalance::adapt() {
  if (!is_dynamic_ || sums_ == 0) return false;
  const double slowest = *std::max_element(seconds_.begin(), seconds_.end());
  if (static_cast<double>(sums_) < patience_ * static_cast<double>(settings_.least_sums) ||
      slowest < patience_ * settings_.least_seconds)
    return false;
  std::vector<double> speeds;
  for (std::size_t rank = 0; rank < seconds_.size(); ++rank)
    speeds.push_back(static_cast<double>(shares_[rank].count()) /
                     std::max(seconds_[rank], slowest * 1e-6));  // a clock may have stood still
  LeafShares better = shares_by_speed(leaves_, speeds);
  double expected = 0;
  for (std::size_t rank = 0; rank < speeds.size(); ++rank)
    expected = std::max(expected, static_cast<double>(better[rank].count()) / speeds[rank]);
  sums_ = 0;
  std::fill(seconds_.begin(), seconds_.end(), 0.0);
  if (expected > settings_.worth_it * slowest) return false;
  shares_ = std::move(better);
  is_first_ = true;
  patience_ = std::min(2 * patience_, most_patience);
  return true;
}

std::string text_of(const LeafShares& shares) {
  constexpr std::size_t few = 8;
  const auto by_count = [](const storage::IndexRange& a, const storage::IndexRange& b) {
    return a.count() < b.count();
  };
  if (shares.size() > few) {
    const auto [least, most] = std::minmax_element(shares.begin(), shares.end(), by_count);
    return fmt::format("from {} to {} a rank", least->count(), most->count());
  }
  std::string text;
  for (std::size_t rank = 0; rank < shares.size(); ++rank)
    text += fmt::format("{}rank {}: {}", rank == 0 ? "" : ", ", rank, shares[rank].count());
  return text;
}

}  // namespace kernmill::tasks
