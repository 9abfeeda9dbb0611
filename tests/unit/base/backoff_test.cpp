#include "kernmill/base/backoff.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace kernmill {
namespace {

using std::chrono::milliseconds;

std::vector<int> pauses(Backoff::Limits limits) {
  Backoff backoff(limits);
  std::vector<int> all;
  while (const auto pause = backoff.pause()) all.push_back(static_cast<int>(pause->count()));
  return all;
}

TEST(Backoff, DoublesUpToItsMost) {
  EXPECT_EQ(pauses({milliseconds(10), milliseconds(40), milliseconds(150)}),
            (std::vector<int>{10, 20, 40, 40, 40}));
}

TEST(Backoff, CutsTheLastPauseToWhatIsLeft) {
  EXPECT_EQ(pauses({milliseconds(10), milliseconds(40), milliseconds(100)}),
            (std::vector<int>{10, 20, 40, 30}));
}

TEST(Backoff, WithoutTimeIsNoPause) {
  EXPECT_EQ(pauses({milliseconds(10), milliseconds(40), milliseconds(0)}), std::vector<int>{});
}

TEST(Backoff, StaysOverOnceItIs) {
  Backoff backoff({milliseconds(10), milliseconds(10), milliseconds(10)});
  EXPECT_TRUE(backoff.pause());
  EXPECT_FALSE(backoff.pause());
  EXPECT_FALSE(backoff.pause());
}

}  // namespace
}  // namespace kernmill
