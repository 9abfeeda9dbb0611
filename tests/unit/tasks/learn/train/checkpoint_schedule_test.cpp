#include "kernmill/tasks/learn/train/checkpoint_schedule.hpp"

#include <gtest/gtest.h>

namespace kernmill::tasks {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using By = CheckpointInterval::By;
using Seconds = CheckpointSchedule::Seconds;

constexpr CheckpointSchedule::Clock::time_point start{};

CheckpointInterval by_cost(Seconds mtbf = std::chrono::hours(24)) {
  CheckpointInterval interval;
  interval.by = By::cost;
  interval.mtbf = mtbf;
  return interval;
}

TEST(CheckpointSchedule, ByStepsLooksAtNoClock) {
  const CheckpointSchedule schedule({.by = By::steps, .steps = 10}, start);
  EXPECT_TRUE(schedule.due_at(20));
  EXPECT_FALSE(schedule.due_at(21));
  EXPECT_FALSE(schedule.due_at(start + std::chrono::hours(100)));
}

TEST(CheckpointSchedule, ByTimeIsDueAnIntervalAfterTheLastBegan) {
  CheckpointSchedule schedule({.by = By::time, .time = minutes(10)}, start);
  EXPECT_FALSE(schedule.due_at(start + minutes(10) - milliseconds(1)));
  EXPECT_TRUE(schedule.due_at(start + minutes(10)));
  EXPECT_FALSE(schedule.due_at(10));
  schedule.begun(start + minutes(12));
  EXPECT_FALSE(schedule.due_at(start + minutes(21)));
  EXPECT_TRUE(schedule.due_at(start + minutes(22)));
}

TEST(CheckpointSchedule, ByCostWaitsAMinuteForTheFirst) {
  const CheckpointSchedule schedule(by_cost(), start);
  EXPECT_FALSE(schedule.due_at(start + seconds(59)));
  EXPECT_TRUE(schedule.due_at(start + seconds(60)));
}

TEST(CheckpointSchedule, ByCostIsYoungsFormulaOfTheMeanStall) {
  CheckpointSchedule schedule(by_cost(), start);
  schedule.learn(seconds(1), seconds(3));
  EXPECT_NEAR(schedule.interval().count(), 415.6921938165306, 1e-9);  // sqrt(2 * 1 * 86400)
  schedule.learn(seconds(3), seconds(3));
  EXPECT_NEAR(schedule.interval().count(), 587.8775382679628, 1e-9);  // sqrt(2 * 2 * 86400)
}

TEST(CheckpointSchedule, ByCostIsOftenerWhereJobsDieOftener) {
  CheckpointSchedule schedule(by_cost(std::chrono::hours(1)), start);
  schedule.learn(seconds(1), seconds(1));
  EXPECT_NEAR(schedule.interval().count(), 84.8528137423857, 1e-9);  // sqrt(2 * 1 * 3600)
}

TEST(CheckpointSchedule, ByCostStaysBetweenTenSecondsAndAnHour) {
  CheckpointSchedule cheap(by_cost(), start), dear(by_cost(), start);
  cheap.learn(milliseconds(0), milliseconds(1));
  EXPECT_EQ(cheap.interval(), seconds(10));
  dear.learn(seconds(600), seconds(600));
  EXPECT_EQ(dear.interval(), seconds(3600));
}

TEST(CheckpointSchedule, ByCostLeavesHalfOfTheTimeWithoutWriting) {
  CheckpointSchedule slow(by_cost(), start);
  slow.learn(milliseconds(1), seconds(40));
  EXPECT_EQ(slow.interval(), seconds(80));
  slow.learn(milliseconds(1), seconds(3000));
  EXPECT_EQ(slow.interval(), seconds(6000));
}

}  // namespace
}  // namespace kernmill::tasks
