#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conductor_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Pair;

/// Sends signals at the first wait.
void send(ConductorWorld& world, std::deque<int> signals) {
  world.scheduler.while_waiting = [&world, signals, sent = false]() mutable {
    if (!std::exchange(sent, true)) world.signals = signals;
  };
}

TEST(Stop, AsksRunningInstancesToStopAndStartsNothingNew) {
  ConductorWorld world(plan_of_stages({with_instances(command_stage("a"), 3)}), /*cores=*/2);
  world.script["a.1"] = {stop("cancelled")};
  send(world, {SIGINT});
  EXPECT_EQ(world.conduct().outcome, RunOutcome::interrupted);
  EXPECT_EQ(world.scheduler.submitted.size(), 2U);
  EXPECT_THAT(world.scheduler.cancelled, Contains(Pair("a.1.1-abcdef", false)));
  EXPECT_THAT(world.output.told, Contains("a[1] stopped"));
  EXPECT_EQ(world.journal().outcome, "interrupted");
}

TEST(Stop, EndsRunningInstancesAtTheSecondRequest) {
  ConductorWorld world(plan_of_stages({with_instances(command_stage("a"), 2)}), /*cores=*/2);
  send(world, {SIGINT, SIGINT});
  world.conduct();
  EXPECT_THAT(world.scheduler.cancelled, Contains(Pair("a.1.1-abcdef", true)));
}

TEST(Stop, ByTerminateIsACancellation) {
  ConductorWorld world(plan_of_stages({with_instances(command_stage("a"), 2)}), /*cores=*/1);
  send(world, {SIGTERM});
  EXPECT_EQ(world.conduct().outcome, RunOutcome::cancelled);
  EXPECT_EQ(world.journal().outcome, "cancelled");
}

TEST(Stop, LeavesACancelledFailureForResume) {
  ConductorWorld world(plan_of_stages({command_stage("a"), command_stage("b", {"a"})}));
  world.script["a.0"] = {failure("cancelled")};
  send(world, {SIGINT});
  EXPECT_EQ(world.conduct().outcome, RunOutcome::interrupted);
  EXPECT_THAT(world.output.told, Contains("a stopped"));
}

TEST(Stop, AfterTheLastInstanceCommittedIsDone) {
  ConductorWorld world(plan_of_stages({command_stage("a")}));
  send(world, {SIGINT});
  EXPECT_EQ(world.conduct().outcome, RunOutcome::done);
}

TEST(Restore, RunsNothingAgainThatHasCommitted) {
  ConductorWorld world(plan_of_stages({command_stage("a"), command_stage("b", {"a"})}), /*cores=*/1);
  send(world, {SIGINT});
  world.conduct();
  const RunRecord record = world.journal();
  world.scheduler.submitted.clear();
  EXPECT_EQ(world.conduct(&record).outcome, RunOutcome::done);
  EXPECT_THAT(world.scheduler.submitted, ElementsAre("b.0.1-abcdef"));
}

TEST(Restore, NumbersAttemptsOn) {
  ConductorWorld world(plan_of_stages({command_stage("a")}));
  world.script["a.0"] = {failure("error")};
  world.conduct();
  const RunRecord record = world.journal();
  EXPECT_EQ(world.conduct(&record).outcome, RunOutcome::done);
  EXPECT_EQ(world.scheduler.submitted.back(), "a.0.2-abcdef");
}

TEST(Restore, KeepsSkippedInstancesSkipped) {
  Stage never = command_stage("never");
  never.when = "${{ 1 > 2 }}";
  ConductorWorld world(plan_of_stages({never, command_stage("behind", {"never"})}));
  world.conduct();
  const RunRecord record = world.journal();
  EXPECT_EQ(world.conduct(&record).outcome, RunOutcome::done);
  EXPECT_TRUE(world.scheduler.submitted.empty());
}

}  // namespace
}  // namespace kernmill::testing
