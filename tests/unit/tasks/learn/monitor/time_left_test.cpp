#include "kernmill/tasks/learn/monitor/time_left.hpp"

#include <gtest/gtest.h>

namespace kernmill::tasks {
namespace {

TEST(TimeLeft, IsNotKnownBeforeThereAreFourParts) {
  Pace pace;
  for (std::uint64_t step = 0; step < 4; ++step) {
    pace.note(step, static_cast<double>(step));
    EXPECT_FALSE(pace.left(100)) << step;
  }
  pace.note(4, 4);
  EXPECT_TRUE(pace.left(100));
}

TEST(TimeLeft, IsWhatEvenStepsTake) {
  Pace pace;
  for (std::uint64_t step = 0; step <= 40; step += 10) pace.note(step, 0.5 * static_cast<double>(step));
  const auto left = pace.left(100);
  ASSERT_TRUE(left);
  EXPECT_DOUBLE_EQ(left->seconds, 30);
  EXPECT_DOUBLE_EQ(left->low, 30);
  EXPECT_DOUBLE_EQ(left->high, 30);
}

TEST(TimeLeft, HasTheRangeOfThePacesThatWereSeen) {
  Pace pace;
  const double seconds[] = {0, 1, 3, 4, 6};  // 10 steps took 1, 2, 1 and 2 seconds
  for (std::uint64_t i = 0; i < 5; ++i) pace.note(10 * i, seconds[i]);
  const auto left = pace.left(100);
  ASSERT_TRUE(left);
  EXPECT_DOUBLE_EQ(left->seconds, 9);
  EXPECT_DOUBLE_EQ(left->low, 6);
  EXPECT_DOUBLE_EQ(left->high, 12);
}

TEST(TimeLeft, ForgetsASlowBeginning) {
  Pace pace;
  pace.note(0, 0);
  pace.note(1, 100);
  for (std::uint64_t step = 2; step <= 200; ++step) pace.note(step, 100 + static_cast<double>(step));
  const auto left = pace.left(300);
  ASSERT_TRUE(left);
  EXPECT_DOUBLE_EQ(left->high, 100);
}

TEST(TimeLeft, IsNotToldPastTheEnd) {
  Pace pace;
  for (std::uint64_t step = 0; step <= 10; ++step) pace.note(step, static_cast<double>(step));
  EXPECT_FALSE(pace.left(0));
  EXPECT_DOUBLE_EQ(pace.left(10)->seconds, 0);
}

}  // namespace
}  // namespace kernmill::tasks
