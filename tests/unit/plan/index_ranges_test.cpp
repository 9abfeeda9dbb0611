#include "kernmill/plan/index_ranges.hpp"

#include <gtest/gtest.h>

namespace kernmill {
namespace {

TEST(IndexRanges, ReadsAndWritesSlurmsNotation) {
  for (const char* text : {"", "0", "0-76,78-99", "3,5,7-8"})
    EXPECT_EQ(IndexRanges::parse(text).text(), text);
  EXPECT_EQ(IndexRanges::parse("0-3,4-7").text(), "0-7");
}

TEST(IndexRanges, RefusesWhatIsNoSet) {
  for (const char* text : {"a", "1-", "-1", "3-1", "1,1", "5,2", "1,,2", "1 2"})
    EXPECT_THROW(IndexRanges::parse(text), std::invalid_argument) << text;
}

TEST(IndexRanges, GrowsAtItsEnd) {
  IndexRanges set;
  for (const std::uint32_t number : {2U, 3U, 4U, 8U}) set.append(number);
  EXPECT_EQ(set.text(), "2-4,8");
  EXPECT_EQ(set.size(), 4U);
  EXPECT_THROW(set.append(8), std::invalid_argument);
}

TEST(IndexRanges, KnowsRanks) {
  const IndexRanges set = IndexRanges::parse("2-4,8,10-11");
  const std::uint32_t numbers[] = {2, 3, 4, 8, 10, 11};
  for (std::uint32_t rank = 0; rank < 6; ++rank) {
    EXPECT_EQ(set.at(rank), numbers[rank]);
    EXPECT_EQ(set.rank_of(numbers[rank]), rank);
  }
  EXPECT_EQ(set.rank_of(0), 0U);
  EXPECT_EQ(set.rank_of(9), 4U);
  EXPECT_EQ(set.rank_of(50), 6U);
  EXPECT_THROW((void)set.at(6), std::out_of_range);
}

TEST(IndexRanges, IsCutIntoSlices) {
  const IndexRanges set = IndexRanges::parse("2-4,8,10-11");
  EXPECT_EQ(set.slice(0, 2).text(), "2-3");
  EXPECT_EQ(set.slice(2, 3).text(), "4,8,10");
  EXPECT_EQ(set.slice(4, 100).text(), "10-11");
  EXPECT_EQ(set.slice(6, 1).text(), "");
  EXPECT_EQ(set.minus(2).text(), "0-2,6,8-9");
}

TEST(IndexRanges, ContainsNumbersAndSets) {
  const IndexRanges set = IndexRanges::parse("2-4,8");
  EXPECT_TRUE(set.contains(3));
  EXPECT_FALSE(set.contains(5));
  EXPECT_FALSE(set.contains(0));
  EXPECT_TRUE(set.contains(IndexRanges::parse("3-4,8")));
  EXPECT_FALSE(set.contains(IndexRanges::parse("4-5")));
  EXPECT_TRUE(set.contains(IndexRanges{}));
}

}  // namespace
}  // namespace kernmill
