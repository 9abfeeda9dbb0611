#include "kernmill/storage/transport/rounds.hpp"

#include <gmock/gmock.h>

namespace kernmill::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Rounds, CutAtMultiples) {
  EXPECT_THAT(cut({5, 25}, 10), ElementsAre(Extent{5, 10}, Extent{10, 20}, Extent{20, 25}));
  EXPECT_THAT(cut({10, 20}, 10), ElementsAre(Extent{10, 20}));
  EXPECT_THAT(cut({7, 7}, 10), IsEmpty());
}

TEST(Windows, JoinWhatLiesSideBySide) {
  EXPECT_THAT(windows_over({{10, 20}, {0, 10}, {20, 21}}, 100), ElementsAre(Extent{0, 21}));
}

TEST(Windows, HaveNoGapInThem) {
  EXPECT_THAT(windows_over({{0, 10}, {11, 20}, {}}, 100), ElementsAre(Extent{0, 10}, Extent{11, 20}));
}

TEST(Windows, AreNoLongerThanOneWritingOfAllWriters) {
  EXPECT_THAT(windows_over({{0, 15}, {15, 32}}, 10),
              ElementsAre(Extent{0, 10}, Extent{10, 20}, Extent{20, 30}, Extent{30, 32}));
}

TEST(Windows, HaveOfARankWhatItHas) {
  EXPECT_EQ(common({0, 15}, {10, 20}), (Extent{10, 15}));
  EXPECT_TRUE(common({0, 5}, {10, 20}).empty());
}

}  // namespace
}  // namespace kernmill::storage
