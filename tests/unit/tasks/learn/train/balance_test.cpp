#include "kernmill/tasks/learn/train/balance.hpp"

#include <gmock/gmock.h>

namespace kernmill::tasks {
namespace {

using ::testing::ElementsAre;

std::vector<std::uint64_t> counts_of(const LeafShares& shares) {
  std::vector<std::uint64_t> counts;
  for (const storage::IndexRange& share : shares) counts.push_back(share.count());
  return counts;
}

/// What ranks of these speeds, in leaves a second, need for their shares.
std::vector<double> times_of(const RowBalance& balance, const std::vector<double>& speeds) {
  std::vector<double> seconds;
  for (std::size_t rank = 0; rank < speeds.size(); ++rank)
    seconds.push_back(static_cast<double>(balance.shares()[rank].count()) / speeds[rank]);
  return seconds;
}

/// Whether the shares change within so many sums.
bool adapts(RowBalance& balance, const std::vector<double>& speeds, int sums) {
  bool has = false;
  for (int i = 0; i < sums; ++i) {
    balance.take(times_of(balance, speeds));
    has = balance.adapt() || has;
  }
  return has;
}

TEST(SharesBySpeed, AreDoneTogether) {
  EXPECT_THAT(counts_of(shares_by_speed(16, std::vector{3.0, 1.0})), ElementsAre(12, 4));
  EXPECT_THAT(counts_of(shares_by_speed(64, std::vector{1.0, 1.0, 1.0, 1.0})), ElementsAre(16, 16, 16, 16));
  EXPECT_THAT(counts_of(shares_by_speed(10, std::vector{2.0, 1.0, 2.0})), ElementsAre(4, 2, 4));
}

TEST(SharesBySpeed, LeaveNobodyWithNothing) {
  EXPECT_THAT(counts_of(shares_by_speed(8, std::vector{1000.0, 1.0, 1000.0})), ElementsAre(4, 1, 3));
}

TEST(SharesBySpeed, CoverAllLeavesInOrder) {
  const LeafShares shares = shares_by_speed(4096, std::vector{1.0, 0.3, 2.7, 1.1, 0.01});
  std::uint64_t at = 0;
  for (const storage::IndexRange& share : shares) {
    EXPECT_EQ(share.begin, at);
    at = share.end;
  }
  EXPECT_EQ(at, 4096U);
}

TEST(RowBalance, GivesASlowRankLess) {
  RowBalance balance(16, 2, Balancing::dynamic);
  EXPECT_TRUE(adapts(balance, {30, 10}, 6));
  EXPECT_THAT(counts_of(balance.shares()), ElementsAre(12, 4));
  EXPECT_FALSE(adapts(balance, {30, 10}, 200)) << "it is as good as can be";
  EXPECT_TRUE(adapts(balance, {10, 10}, 200)) << "the rank is as fast as the other again";
  EXPECT_THAT(counts_of(balance.shares()), ElementsAre(8, 8));
}

TEST(RowBalance, LeavesSmallDifferencesAlone) {
  RowBalance balance(64, 2, Balancing::dynamic);
  EXPECT_FALSE(adapts(balance, {10.5, 10}, 100));
}

TEST(RowBalance, LooksLongEnoughBeforeItJudges) {
  RowBalance balance(16, 2, Balancing::dynamic);
  EXPECT_FALSE(adapts(balance, {30, 10}, 4)) << "the first sum does not count, and four are needed";
  RowBalance brief(16, 2, Balancing::dynamic);
  EXPECT_FALSE(adapts(brief, {3e5, 1e5}, 100)) << "of microseconds a clock says little";
  EXPECT_TRUE(adapts(brief, {3e5, 1e5}, 2000));
}

TEST(RowBalance, WaitsLongerAfterEachChange) {
  RowBalance balance(16, 2, Balancing::dynamic);
  int changes = 0;
  for (int i = 0; i < 1000; ++i) {
    balance.take(times_of(balance, i / 40 % 2 == 0 ? std::vector{30.0, 10.0} : std::vector{10.0, 30.0}));
    changes += balance.adapt() ? 1 : 0;
  }
  EXPECT_LE(changes, 12) << "a rank whose speed swings moves rows again and again";
}

TEST(RowBalance, ChangesNothingWhereItIsNotAskedToOrCannot) {
  RowBalance even(16, 2, Balancing::even), few(2, 4, Balancing::dynamic), alone(16, 1, Balancing::dynamic);
  EXPECT_FALSE(adapts(even, {30, 10}, 50));
  EXPECT_FALSE(adapts(few, {30, 10, 10, 10}, 50)) << "ranks without a leaf are of unknown speed";
  EXPECT_FALSE(adapts(alone, {30}, 50));
}

TEST(RowBalance, TakesAClockThatStoodStill) {
  RowBalance balance(16, 2, Balancing::dynamic);
  for (int i = 0; i < 6; ++i) balance.take(std::vector{0.0, 1.0});
  EXPECT_TRUE(balance.adapt());
  EXPECT_THAT(counts_of(balance.shares()), ElementsAre(15, 1));
}

TEST(TextOfShares, NamesFewRanksAndTheExtremesOfMany) {
  EXPECT_EQ(text_of(LeafShares{{0, 12}, {12, 16}}), "rank 0: 12, rank 1: 4");
  EXPECT_EQ(text_of(even_shares(100, 9)), "from 11 to 12 a rank");
}

}  // namespace
}  // namespace kernmill::tasks
