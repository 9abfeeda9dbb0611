#include <gmock/gmock.h>

#include "kernmill/storage/checkpoint/checkpoint_directory.hpp"

namespace kernmill::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Steps = std::vector<std::uint64_t>;

TEST(Retention, TheNewestStay) {
  EXPECT_THAT(superseded({40, 30, 20, 10}, 40, {.keep = 3}), ElementsAre(10));
  EXPECT_THAT(superseded({40, 30}, 40, {.keep = 3}), IsEmpty());
}

TEST(Retention, TwoStayAtLeast) {
  EXPECT_THAT(superseded({40, 30, 20}, 40, {.keep = 0}), ElementsAre(20));
}

// They were found damaged when this training went on from an older one.
TEST(Retention, NewerOnesGo) {
  EXPECT_THAT(superseded({90, 40, 30, 20}, 40, {.keep = 2}), ElementsAre(90, 20));
  EXPECT_THAT(superseded({100, 40, 30}, 40, {.keep = 2, .keep_every = 100}), ElementsAre(100));
}

TEST(Retention, EveryNthStaysForGood) {
  EXPECT_THAT(superseded({250, 240, 230, 200, 110, 100, 90}, 250, {.keep = 2, .keep_every = 100}),
              ElementsAre(230, 110, 90));
}

// Where a clock decides, no step need be a multiple: the first beyond it stays.
TEST(Retention, OfEachPeriodTheFirstStays) {
  EXPECT_THAT(superseded({255, 241, 228, 204, 117, 103, 60}, 255, {.keep = 1, .keep_every = 100}),
              ElementsAre(228, 117, 60));
}

TEST(Retention, SinglePassesAgreeWithOneLaterPass) {
  Steps there;
  for (std::uint64_t step = 7; step <= 700; step += 7) {
    there.insert(there.begin(), step);
    for (const std::uint64_t gone : superseded(there, step, {.keep = 2, .keep_every = 100}))
      std::erase(there, gone);
  }
  EXPECT_THAT(there, ElementsAre(700, 693, 602, 504, 406, 301, 203, 105));
}

}  // namespace
}  // namespace kernmill::storage
