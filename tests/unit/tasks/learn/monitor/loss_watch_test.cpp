#include "kernmill/tasks/learn/monitor/loss_watch.hpp"

#include <gtest/gtest.h>

namespace kernmill::tasks {
namespace {

using Verdict = LossWatch::Verdict;

/// How often each was said of these losses.
int times(Verdict verdict, const std::vector<double>& losses) {
  LossWatch watch;
  int count = 0;
  for (const double loss : losses) count += watch.take(loss) == verdict ? 1 : 0;
  return count;
}

TEST(LossWatch, WarnsOnceOfALossThatStaysHigh) {
  EXPECT_EQ(times(Verdict::astray, {1, 0.5, 60, 60, 60, 60}), 0);
  EXPECT_EQ(times(Verdict::astray, {1, 0.5, 60, 60, 60, 60, 60, 70, 80}), 1);
  EXPECT_EQ(times(Verdict::astray, {1, 0.5, 60, 60, 60, 0.4, 60, 60, 60, 60}), 0) << "it came back";
}

TEST(LossWatch, DoesNotMindNoiseAboutATinyLoss) {
  EXPECT_EQ(times(Verdict::astray, {1, 1e-9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}), 0);
}

TEST(LossWatch, GivesUpOnlyWhereNothingComesBack) {
  std::vector<double> growing{1, 0.5}, falling{1, 0.5};
  for (int epoch = 0; epoch < 10; ++epoch) {
    growing.push_back(1e7 * (1 + epoch));
    falling.push_back(1e9 / (1 + epoch));
  }
  EXPECT_EQ(times(Verdict::lost, growing), 1);
  EXPECT_EQ(times(Verdict::lost, falling), 0);
}

TEST(LossWatch, HasNoOpinionOfObjectivesBelowZero) {
  EXPECT_EQ(times(Verdict::astray, {-5, -9, 1000, 1000, 1000, 1000, 1000, 1000}), 0);
}

}  // namespace
}  // namespace kernmill::tasks
