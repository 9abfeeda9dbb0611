#include "kernmill/tasks/learn/rows/row_order.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace kernmill::tasks {
namespace {

std::vector<std::uint64_t> order_of(std::uint64_t rows, const Shuffle& shuffle, std::uint64_t seed = 7,
                                    std::uint64_t epoch = 0) {
  const RowOrder order(rows, shuffle, seed, epoch);
  std::vector<std::uint64_t> all(rows);
  for (std::uint64_t i = 0; i < rows; ++i) all[i] = order(i);
  return all;
}

TEST(RowOrder, HasEachRowOnceForAnyNumberOfRowsBlocksAndWindows) {
  for (const std::uint64_t rows : {1, 2, 7, 64, 65, 100, 257, 1000})
    for (const std::uint64_t block : {0, 1, 3, 8, 64, 2000})
      for (const std::uint64_t window : {1, 2, 5, 256})
        for (std::uint64_t epoch = 0; epoch < 6; ++epoch) {
          auto order = order_of(rows, {block, window}, 11, epoch);
          std::sort(order.begin(), order.end());
          for (std::uint64_t i = 0; i < rows; ++i)
            ASSERT_EQ(order[i], i) << rows << " rows, blocks of " << block << ", windows of " << window
                                   << ", epoch " << epoch;
        }
}

TEST(RowOrder, DiffersByEpochAndBySeed) {
  const Shuffle shuffle{8, 4};
  EXPECT_NE(order_of(1000, shuffle, 7, 0), order_of(1000, shuffle, 7, 1));
  EXPECT_NE(order_of(1000, shuffle, 7, 0), order_of(1000, shuffle, 8, 0));
  EXPECT_EQ(order_of(1000, shuffle, 7, 3), order_of(1000, shuffle, 7, 3));
}

TEST(RowOrder, StaysWithinAWindowOfBlocksAndMixesThem) {
  const std::uint64_t block = 10, window = 4;
  const auto order = order_of(4000, {block, window});
  for (std::size_t begin = 0; begin < order.size(); begin += block * window) {
    std::set<std::uint64_t> blocks;
    std::size_t neighbours = 0;
    for (std::size_t i = begin; i < begin + block * window; ++i) {
      blocks.insert(order[i] / block);
      if (i > begin && order[i] / block == order[i - 1] / block) ++neighbours;
    }
    EXPECT_EQ(blocks.size(), window);
    EXPECT_LT(neighbours, 25U);  // of 39; unshuffled there would be 36, by chance about 9
  }
}

TEST(RowOrder, KnowsTheBlocksThatAWindowHasItsRowsFrom) {
  for (const std::uint64_t rows : {1, 64, 100, 257, 1000})
    for (const std::uint64_t block : {1, 3, 8, 64, 2000})
      for (std::uint64_t epoch = 0; epoch < 4; ++epoch) {
        const RowOrder order(rows, {block, 5}, 11, epoch);
        std::uint64_t in_windows = 0;
        for (std::uint64_t window = 0; window <= order.window_of(rows - 1); ++window)
          for (const auto& range : order.blocks_of(window)) in_windows += range.count();
        EXPECT_EQ(in_windows, rows);
        for (std::uint64_t position = 0; position < rows; ++position) {
          const auto blocks = order.blocks_of(order.window_of(position));
          ASSERT_TRUE(std::any_of(blocks.begin(), blocks.end(),
                                  [&](const auto& range) {
                                    return range.begin <= order(position) && order(position) < range.end;
                                  }))
              << "position " << position << " of " << rows << " rows in blocks of " << block;
        }
      }
}

TEST(RowOrder, OfSmallDataIsThatOfOnePermutation) {
  const kernels::Permutation permutation(500, 7, 2);
  const auto order = order_of(500, shuffle_of("auto", 500, 6272), 7, 2);
  for (std::uint64_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], permutation(i));
}

TEST(ShuffleSetting, GoesByTheSizeOfTheDataUnlessItIsGiven) {
  EXPECT_EQ(shuffle_of("auto", 1000, 6272).block_rows, 0U);
  EXPECT_EQ(shuffle_of("auto", 1000000, 6272).block_rows, 41U);
  EXPECT_EQ(shuffle_of("full", 1000000, 6272).block_rows, 0U);
  EXPECT_EQ(shuffle_of("block", 1000, 6272).block_rows, 41U);
  EXPECT_EQ(shuffle_of("block", 10, 1 << 30).block_rows, 1U);
}

}  // namespace
}  // namespace kernmill::tasks
