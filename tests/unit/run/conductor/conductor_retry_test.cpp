#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conductor_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

Stage retried(int max, std::vector<std::string> on) {
  Stage stage = command_stage("a");
  stage.retries.max = max;
  stage.retries.on = std::move(on);
  stage.retries.mem_factor = 2.0;
  stage.retries.time_factor = 1.5;
  return stage;
}

TEST(Retry, FollowsACauseThatThePolicyNames) {
  ConductorWorld world(plan_of_stages({retried(2, {"oom"})}));
  world.script["a.0"] = {failure("oom")};
  EXPECT_EQ(world.conduct().outcome, RunOutcome::done);
  EXPECT_THAT(world.output.told, Contains("a retrying"));
  EXPECT_THAT(world.scheduler.submitted, ElementsAre("a.0.1-abcdef", "a.0.2-abcdef"));
}

TEST(Retry, DoesNotFollowACauseThatThePolicyLeavesOut) {
  ConductorWorld world(plan_of_stages({retried(2, {"oom"})}));
  world.script["a.0"] = {failure("error")};
  EXPECT_EQ(world.conduct().outcome, RunOutcome::failed);
}

TEST(Retry, StopsAtItsMaximum) {
  ConductorWorld world(plan_of_stages({retried(2, {"error"})}));
  world.script["a.0"] = {failure("error"), failure("error"), failure("error"), failure("error")};
  EXPECT_EQ(world.conduct().outcome, RunOutcome::failed);
  EXPECT_EQ(world.scheduler.submitted.size(), 3U);
}

TEST(Retry, GivesMoreMemoryAfterOutOfMemoryAndMoreTimeAfterATimeout) {
  ConductorWorld world(plan_of_stages({retried(3, {"oom", "timeout"})}));
  world.script["a.0"] = {failure("oom"), failure("timeout"), failure("oom")};
  EXPECT_EQ(world.conduct().outcome, RunOutcome::done);
  ASSERT_EQ(world.scales.size(), 4U);
  EXPECT_EQ(world.scales[1].mem, 2.0);
  EXPECT_EQ(world.scales[1].time, 1.0);
  EXPECT_EQ(world.scales[2].time, 1.5);
  EXPECT_EQ(world.scales[3].mem, 4.0);
}

TEST(Retry, GoesOnFromACheckpointWithoutUsingUpARetry) {
  ConductorWorld world(plan_of_stages({retried(0, {})}));
  world.script["a.0"] = {stop("timeout"), stop("timeout")};
  int epoch = 0;
  world.scheduler.while_waiting = [&] { world.checkpoint = "epoch " + std::to_string(++epoch); };
  EXPECT_EQ(world.conduct().outcome, RunOutcome::done);
  EXPECT_EQ(world.scheduler.submitted.size(), 3U);
  EXPECT_THAT(world.output.told, Contains("a continued"));
}

TEST(Retry, KeepsItsRetriesWhenATimeLimitLeftANewCheckpoint) {
  ConductorWorld world(plan_of_stages({retried(1, {"timeout", "error"})}));
  world.script["a.0"] = {failure("timeout"), failure("timeout"), failure("timeout"), failure("error")};
  int epoch = 0;
  world.scheduler.while_waiting = [&] { world.checkpoint = "epoch " + std::to_string(++epoch); };
  EXPECT_EQ(world.conduct().outcome, RunOutcome::done);
  EXPECT_EQ(world.scheduler.submitted.size(), 5U);
  EXPECT_EQ(world.scales.back().time, 1.0);
  EXPECT_THAT(world.output.told, Contains("a continued").Times(3));
  EXPECT_THAT(world.output.told, Contains("a retrying").Times(1));
}

TEST(Retry, CallsATimeoutWithoutANewCheckpointAFailure) {
  ConductorWorld world(plan_of_stages({retried(0, {})}));
  world.script["a.0"] = {stop("timeout")};
  EXPECT_EQ(world.conduct().outcome, RunOutcome::failed);
  EXPECT_EQ(world.scheduler.submitted.size(), 1U);
}

}  // namespace
}  // namespace kernmill::testing
