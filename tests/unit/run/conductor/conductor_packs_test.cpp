#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conductor_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

/// A stage of `count` instances in packs of four, two side by side, and one that waits for each of them.
class Packs : public ::testing::Test {
 protected:
  explicit Packs(Stage a = with_instances(command_stage("a"), 6))
      : world(plan_of_stages({std::move(a), with_instances(command_stage("b", {"a"}), 6)})) {
    world.packings["a"] = {4, 2};
  }
  ConductorWorld world;
};

TEST_F(Packs, TakeInstancesUntilTheyAreFullAndWhatWaitsForThemGoesOn) {
  EXPECT_EQ(world.conduct().outcome, RunOutcome::done);
  ASSERT_EQ(world.packs.size(), 2U);
  EXPECT_EQ(world.packs.at("a.pack.0-abcdef").instances.size(), 4U);
  EXPECT_EQ(world.packs.at("a.pack.1-abcdef").instances.size(), 2U);
  EXPECT_EQ(world.packs.at("a.pack.1-abcdef").instances.front().index, 4U);
  EXPECT_THAT(world.output.told, Contains("a[5] committed"));
  EXPECT_THAT(world.output.told, Contains("b[5] committed"));
}

TEST_F(Packs, AreAsWideAsThereIsRoomFor) {
  ConductorWorld narrow(plan_of_stages({with_instances(command_stage("a"), 6)}), /*cores=*/2);
  narrow.packings["a"] = {3, 8};
  EXPECT_EQ(narrow.conduct().outcome, RunOutcome::done);
  EXPECT_EQ(narrow.packs.at("a.pack.0-abcdef").slots, 3U);  // an idle machine takes what is too large for it
}

TEST_F(Packs, AFailureInOneIsForGoodSinceThePackHasTriedAgain) {
  world.script["a.1"] = {failure("error", "broken")};
  EXPECT_EQ(world.conduct().outcome, RunOutcome::failed);
  EXPECT_THAT(world.output.told, Contains("a[1] failed"));
  EXPECT_THAT(world.output.told, Contains("a[2] committed"));
  EXPECT_THAT(world.output.told, Contains("b[2] committed"));
  EXPECT_THAT(world.output.told, Not(Contains("b[1] started")));
  EXPECT_THAT(world.output.messages, Contains("broken"));
}

TEST_F(Packs, WhatOneDidNotComeToIsPackedAgainUnderANewNumber) {
  world.never_begun = {"a.2", "a.3"};
  EXPECT_EQ(world.conduct().outcome, RunOutcome::done);
  const RunRecord record = world.journal();
  EXPECT_EQ(record.find("a", 2)->attempts.back().number, 2U);
  EXPECT_EQ(record.find("a", 1)->attempts.back().number, 1U);
}

TEST_F(Packs, OneThatBeginsNothingFailsItsInstancesInsteadOfBeingMadeForEver) {
  world.never_begun = {"a.0", "a.1", "a.2", "a.3"};
  EXPECT_EQ(world.conduct().outcome, RunOutcome::failed);
  EXPECT_EQ(world.packs.size(), 2U);
  EXPECT_THAT(world.output.told, Contains("a[3] failed"));
}

TEST_F(Packs, AnInstanceThatVanishedWithItsPackIsAbandoned) {
  world.vanishing["a.3"] = 1;
  EXPECT_EQ(world.conduct().outcome, RunOutcome::failed);
  EXPECT_EQ(world.journal().find("a", 3)->attempts.back().state, AttemptState::abandoned);
  EXPECT_THAT(world.leftovers_ended, Contains("a[0]"));  // by the token of the pack
}

TEST_F(Packs, OnesOfALaterLifeNumberOnFromWhatEarlierOnesHandedOut) {
  world.never_begun = {"a.0", "a.1", "a.2", "a.3", "a.4", "a.5"};
  world.conduct();
  const RunRecord before = world.journal();
  EXPECT_EQ(before.find("a", 5)->handed_out, 1U);
  ASSERT_EQ(before.packs.size(), 2U);
  world.options.session = "fedcba";
  EXPECT_EQ(world.conduct(&before).outcome, RunOutcome::done);
  EXPECT_EQ(world.journal().find("a", 5)->attempts.back().number, 2U);
}

TEST_F(Packs, ThatWereStoppedMayGoOn) {
  world.scheduler.while_waiting = [this, first = true]() mutable {
    if (std::exchange(first, false)) world.signals = {SIGINT};
  };
  world.script["a.1"] = {stop("cancelled")};
  world.never_begun = {"a.2", "a.3"};
  EXPECT_EQ(world.conduct().outcome, RunOutcome::interrupted);
  EXPECT_THAT(world.output.told, Contains("a[1] stopped"));
  const RunRecord before = world.journal();
  world.options.session = "fedcba";
  EXPECT_EQ(world.conduct(&before).outcome, RunOutcome::done);
  EXPECT_EQ(world.journal().find("a", 0)->attempts.size(), 1U) << "what had committed ran again";
}

TEST_F(Packs, TellAnInstanceWhatItsParentsLeft) {
  ConductorWorld two(
      plan_of_stages({with_instances(command_stage("a"), 3), with_instances(command_stage("b", {"a"}), 3)}));
  two.packings["b"] = {3, 1};
  two.script["a.2"] = {commit({{"loss", 0.5}})};
  two.scheduler.exit_code = [](const JobId&) { return 0; };
  EXPECT_EQ(two.conduct().outcome, RunOutcome::done);
  std::string all;
  for (const auto& [job, pack] : two.packs) all += two.known.at(job);
  EXPECT_NE(all.find(R"("loss":0.5)"), std::string::npos);
}

TEST(PackOfABoundedStage, TakesNoMoreThanMayRunAtOnce) {
  Stage stage = with_instances(command_stage("a"), 5);
  stage.max_parallel = 2;
  ConductorWorld world(plan_of_stages({stage}));
  world.packings["a"] = {4, 2};
  EXPECT_EQ(world.conduct().outcome, RunOutcome::done);
  for (const auto& [job, pack] : world.packs) EXPECT_LE(pack.instances.size(), 2U);
}

}  // namespace
}  // namespace kernmill::testing
