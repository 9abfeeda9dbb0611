#include "kernmill/run/conductor/conductor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conductor_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Conductor, RunsParentsBeforeChildren) {
  ConductorWorld world(
      plan_of_stages({command_stage("a"), command_stage("b", {"a"}), command_stage("c", {"b"})}));
  EXPECT_EQ(world.conduct().outcome, RunOutcome::done);
  EXPECT_THAT(world.scheduler.submitted, ElementsAre("a.0.1-abcdef", "b.0.1-abcdef", "c.0.1-abcdef"));
}

TEST(Conductor, StartsAsManyAtOnceAsThereIsRoomFor) {
  ConductorWorld world(plan_of_stages({with_instances(command_stage("a"), 9)}), /*cores=*/3);
  EXPECT_EQ(world.conduct().outcome, RunOutcome::done);
  EXPECT_EQ(world.scheduler.most_at_once, 3U);
  EXPECT_EQ(world.scheduler.submitted.size(), 9U);
}

TEST(Conductor, HonoursMaxParallel) {
  Stage stage = with_instances(command_stage("a"), 6);
  stage.max_parallel = 2;
  ConductorWorld world(plan_of_stages({stage}), /*cores=*/8);
  world.conduct();
  EXPECT_EQ(world.scheduler.most_at_once, 2U);
}

TEST(Conductor, JournalsASubmissionBeforeTheJobStarts) {
  ConductorWorld world(plan_of_stages({command_stage("a")}));
  bool was_there = false;
  world.scheduler.while_waiting = [&] { was_there = world.journal().find("a", 0) != nullptr; };
  world.conduct();
  EXPECT_TRUE(was_there);
}

TEST(Conductor, LeavesTheOutcomeInTheJournal) {
  ConductorWorld world(plan_of_stages({command_stage("a")}));
  world.conduct();
  EXPECT_EQ(world.journal().outcome, "done");
}

//   a   b      a fails: c is blocked, d (behind b) goes on
//   |   |
//   c   d
TEST(Conductor, FinishesIndependentBranchesAfterAFailure) {
  ConductorWorld world(plan_of_stages(
      {command_stage("a"), command_stage("b"), command_stage("c", {"a"}), command_stage("d", {"b"})}));
  world.script["a.0"] = {failure("error", "no such luck")};
  EXPECT_EQ(world.conduct().outcome, RunOutcome::failed);
  EXPECT_THAT(world.output.told, Contains("a failed"));
  EXPECT_THAT(world.output.told, Contains("d committed"));
  EXPECT_THAT(world.scheduler.submitted, Not(Contains(HasSubstr("c.0"))));
  EXPECT_THAT(world.output.messages, ElementsAre("no such luck"));
}

TEST(Conductor, StartsNothingNewAfterAFailureWhenItIsToFailFast) {
  ConductorWorld world(plan_of_stages({command_stage("a"), command_stage("b")}), /*cores=*/1);
  world.script["a.0"] = {failure("error")};
  world.options.fail_fast = true;
  EXPECT_EQ(world.conduct().outcome, RunOutcome::failed);
  EXPECT_THAT(world.scheduler.submitted, ElementsAre("a.0.1-abcdef"));
}

TEST(Conductor, CommitsACachedInstanceWithoutAJob) {
  ConductorWorld world(plan_of_stages({command_stage("a"), command_stage("b", {"a"})}));
  world.cached["a"] = {{"x", 1}};
  EXPECT_EQ(world.conduct().outcome, RunOutcome::done);
  EXPECT_THAT(world.scheduler.submitted, ElementsAre("b.0.1-abcdef"));
  const RunRecord record = world.journal();
  EXPECT_TRUE(record.find("a", 0)->committed);
  EXPECT_EQ(record.find("a", 0)->attempts.back().cached_from, "/earlier");
  EXPECT_TRUE(world.committed_when_stored);
}

TEST(Conductor, CallsAJobThatLeftNoRecordAbandonedAndEndsWhatIsLeftOfIt) {
  ConductorWorld world(plan_of_stages({command_stage("a")}));
  world.vanishing["a.0"] = 1;
  world.scheduler.exit_code = [](const JobId&) { return 137; };
  EXPECT_EQ(world.conduct().outcome, RunOutcome::failed);
  EXPECT_THAT(world.leftovers_ended, ElementsAre("a"));
  EXPECT_THAT(world.output.messages, Contains(HasSubstr("signal 9")));
  EXPECT_EQ(world.journal().find("a", 0)->attempts.back().state, AttemptState::abandoned);
}

TEST(Conductor, EndsRunningJobsWhenAnExceptionEndsIt) {
  ConductorWorld world(plan_of_stages({with_instances(command_stage("a"), 2)}), /*cores=*/2);
  world.scheduler.while_waiting = [&, thrown = false]() mutable {
    if (!std::exchange(thrown, true)) throw std::runtime_error("the disk is full");
  };
  EXPECT_THROW(world.conduct(), std::runtime_error);
  EXPECT_EQ(world.scheduler.cancelled.size(), 2U);
  EXPECT_EQ(world.scheduler.running(), 0U);
  EXPECT_EQ(world.journal().outcome, "");
}

}  // namespace
}  // namespace kernmill::testing
