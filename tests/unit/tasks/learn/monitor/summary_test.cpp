#include "kernmill/tasks/learn/monitor/summary.hpp"

#include <cmath>

#include <gmock/gmock.h>

namespace kernmill::tasks {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

/// A loss that falls by `factor` an epoch.
std::vector<double> losses(int epochs, double factor) {
  std::vector<double> all;
  for (int epoch = 0; epoch < epochs; ++epoch) all.push_back(std::pow(factor, epoch));
  return all;
}

TEST(Summary, SaysWhereTheTimeWentAndNothingElseWhereAllIsWell) {
  EXPECT_THAT(summary_of({{{81, 10, 6, 3}, {83, 8, 6, 3}}, 1'000'000}),
              ElementsAre("training took 100 s on 2 ranks: computing 82.0 %, communication 9.0 %, input "
                          "6.0 %, checkpoints 3.0 %",
                          "1e+04 rows a second"));
}

TEST(Summary, OfNothingIsEmpty) {
  EXPECT_THAT(summary_of({}), IsEmpty());
}

TEST(Summary, NamesWhatHoldsTrainingUp) {
  EXPECT_THAT(summary_of({{{60, 0, 40, 0}}}), Contains(HasSubstr("more ranks share the reading")));
  EXPECT_THAT(summary_of({{{60, 0, 40, 0}}, 0, true}), Contains(HasSubstr("cache: 16G")));
  EXPECT_THAT(summary_of({{{90, 0, 0, 10}}}), Contains(HasSubstr("checkpoint: {every: auto}")));
  EXPECT_THAT(summary_of({{{50, 50, 0, 0}, {50, 50, 0, 0}}}), Contains(HasSubstr("fewer ranks")));
}

TEST(Summary, AdvisesNothingOfSecondsThatNobodyNotices) {
  EXPECT_THAT(summary_of({{{1, 1, 1, 1}, {1, 1, 1, 1}}}),
              ElementsAre(StartsWith("training took 4 s on 2 ranks")));
}

TEST(Summary, SaysWhichRankTheOthersWaitFor) {
  const auto said = summary_of({{{40, 60, 0, 0}, {40, 60, 0, 0}, {100, 0, 0, 0}}});
  EXPECT_THAT(said, Contains(HasSubstr("waited for rank 2, which took 2.50 times as long")));
  EXPECT_THAT(said, Each(Not(HasSubstr("fewer ranks"))));
}

TEST(Summary, KnowsALossThatStillFallsFromOneThatDoesNot) {
  EXPECT_THAT(summary_of({{}, 0, false, losses(20, 0.95)}), ElementsAre(HasSubstr("more epochs may help")));
  EXPECT_THAT(summary_of({{}, 0, false, losses(100, 0.5)}),
              ElementsAre(HasSubstr("since epoch 11 of 100: fewer epochs, or early_stopping")));
  EXPECT_THAT(summary_of({{}, 0, false, losses(14, 0.6)}), IsEmpty());
}

TEST(Summary, LeavesTheNumberOfEpochsToEarlyStoppingAndToShortTrainings) {
  EXPECT_THAT(summary_of({{}, 0, false, losses(100, 0.5), true}), IsEmpty());
  EXPECT_THAT(summary_of({{}, 0, false, losses(9, 0.95)}), IsEmpty());
  EXPECT_THAT(summary_of({{}, 0, false, std::vector<double>(20, 1.0)}), IsEmpty());
}

TEST(Summary, TellsAMethodThatCameToItsLastIteration) {
  EXPECT_THAT(summary_of({{}, 0, false, {}, false, true}), ElementsAre(HasSubstr("max_iterations")));
}

}  // namespace
}  // namespace kernmill::tasks
