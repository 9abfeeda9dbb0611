#pragma once
#include <span>
#include <string>
#include <vector>

#include "kernmill/tasks/learn/rows/leaf_shares.hpp"

namespace kernmill::tasks {

/// How much of the rows each rank gets.
enum class Balancing {
  even,    ///< all the same
  dynamic  ///< as much as goes with its speed, which is measured all the time
};

/// When ranks get other shares.
struct BalanceSettings {
  BalanceSettings(Balancing how = Balancing::even) : balancing(how) {}  // NOLINT(google-explicit-constructor)
  Balancing balancing;
  std::uint64_t least_sums = 4;  ///< that are looked at first
  double least_seconds = 0.1;    ///< of the slowest rank in these: of less a clock says little
  double worth_it = 0.9;         ///< the share of their time in which they would be done then
};

/// Deals the leaves of a sum out to ranks of different speed, so that all are done at the same time. Sums
/// along one tree have the same bits whoever makes which leaves, so that this changes no number. All ranks
/// are told the same times, and so come to the same shares without a word.
class RowBalance {
 public:
  RowBalance(std::uint64_t leaves, int ranks, const BalanceSettings& settings);

  [[nodiscard]] const LeafShares& shares() const { return shares_; }
  /// The seconds that each rank has worked on its leaves for one more sum.
  void take(std::span<const double> seconds);
  /// Gives out other shares where enough was seen and they are worth it. Says whether it has. After each
  /// change it looks longer before the next.
  bool adapt();

 private:
  std::uint64_t leaves_;
  BalanceSettings settings_;
  bool is_dynamic_;
  LeafShares shares_;
  std::vector<double> seconds_;  ///< of each rank, since the last look
  std::uint64_t sums_ = 0;       ///< since then
  bool is_first_ = true;         ///< the sum after a change is not counted: there is more to do in it
  double patience_ = 1;          ///< by how much more than at the beginning it looks
};

/// The shares by which the slowest of ranks is done earliest: each has done so many leaves a second. Greedy,
/// leaf by leaf, which is optimal for equal leaves. Each rank gets one at least, where there are as many.
LeafShares shares_by_speed(std::uint64_t leaves, std::span<const double> speeds);

/// "rank 0: 12, rank 1: 4" of few ranks, and the least and the most of many.
std::string text_of(const LeafShares& shares);

}  // namespace kernmill::tasks
