// What becomes of the instances of a packed element.
#include <csignal>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/os/core_sets.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/process.hpp"
#include "pack_world.hpp"

namespace kernmill {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::PackWorld;

TEST(Pack, AThousandInstancesMakeFewFiles) {
  PackWorld world(PackWorld::command("true"), 1000, 2);
  ASSERT_EQ(world.carry_out(), 0);
  EXPECT_EQ(world.committed(), 1000u);
  EXPECT_LT(world.files(), 20u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(world.run().journal()), {}), 1);
}

TEST(Pack, MetricsStandInTheCommitRecord) {
  PackWorld world(PackWorld::command("echo twice=$((2 * KERNMILL_MATRIX_I)) >$KERNMILL_METRICS"), 3, 2);
  ASSERT_EQ(world.carry_out(), 0);
  for (unsigned i = 0; i < 3; ++i) EXPECT_EQ(world.instance(i).metrics, (Json{{"twice", 2 * i}}));
  EXPECT_FALSE(std::filesystem::exists(world.run().instance("s", 0)));
}

// Instance 0 keeps its slot until the last one has run.
TEST(Pack, AFreeSlotTakesTheNextInstance) {
  PackWorld world(PackWorld::command("if [ $KERNMILL_INSTANCE = 0 ]; then read -r -t 60 line <>$PIPE; fi\n"
                                     "if [ $KERNMILL_INSTANCE = 9 ]; then echo go >$PIPE; fi"),
                  10, 2);
  EXPECT_EQ(world.carry_out(), 0);
  EXPECT_EQ(world.committed(), 10u);
}

TEST(Pack, EachInstanceFindsAnEmptyDirectory) {
  PackWorld world(PackWorld::command("found=$(ls -A $KERNMILL_OUTPUT | wc -l)\n"
                                     "echo found=$found >$KERNMILL_METRICS; mkdir $KERNMILL_OUTPUT/left"),
                  4, 1);
  ASSERT_EQ(world.carry_out(), 0);
  for (unsigned i = 0; i < 4; ++i) EXPECT_EQ(world.instance(i).metrics, (Json{{"found", 0}}));
}

// Whether the one before has left a checkpoint, or nothing; number 3 goes on with what it has left itself.
TEST(Pack, EachInstanceFindsAFolderOfCheckpointsThatIsItsOwn) {
  Stage stage = PackWorld::command(
      "found=$(ls -A $KERNMILL_CHECKPOINTS | wc -l); echo found=$found >$KERNMILL_METRICS\n"
      "echo resumed=$KERNMILL_RESUMED >>$KERNMILL_METRICS\n"
      "case $KERNMILL_CHECKPOINTS in */$KERNMILL_INSTANCE/checkpoints) ;; *) exit 2;; esac\n"
      "[ $((KERNMILL_INSTANCE % 2)) = 0 ] || touch $KERNMILL_CHECKPOINTS/step-1\n"
      "[ $KERNMILL_INSTANCE != 3 ] || [ $KERNMILL_ATTEMPT = 2 ]");
  stage.retries.max = 1;
  stage.retries.on = {"error"};
  PackWorld world(stage, 8, 1);
  ASSERT_EQ(world.carry_out(), 0);
  for (unsigned i = 0; i < 8; ++i) {
    const int own = i == 3 ? 1 : 0;
    EXPECT_EQ(world.instance(i).metrics, (Json{{"found", own}, {"resumed", own}})) << i;
    EXPECT_FALSE(std::filesystem::exists(world.run().checkpoints("s", i))) << i;
    EXPECT_EQ(std::filesystem::exists(world.run().instance("s", i)), i == 3) << "its failure is kept there";
  }
}

TEST(Pack, SlotsHaveCoresOfTheirOwn) {
  if (exec::allowed_cores().size() < 2) GTEST_SKIP() << "this needs two cores";
  PackWorld world(
      PackWorld::command(
          "if [ $KERNMILL_INSTANCE = 0 ]; then read -r -t 60 line <>$PIPE; else echo go >$PIPE; fi\n"
          "sed -n 's/^Cpus_allowed_list:[^0-9]*/cores=c/p' /proc/self/status >$KERNMILL_METRICS"),
      2, 2);
  ASSERT_EQ(world.carry_out(), 0);
  const Json first = world.instance(0).metrics.at("cores"), second = world.instance(1).metrics.at("cores");
  EXPECT_NE(first, second);
  EXPECT_THAT(first.get<std::string>(), Not(HasSubstr("-")));
}

TEST(Pack, AFailureKeepsItsDirectoryAndItsOwnLinesOfTheLogs) {
  PackWorld world(PackWorld::command("echo this is $KERNMILL_INSTANCE; echo left >$KERNMILL_OUTPUT/trace\n"
                                     "if [ $KERNMILL_INSTANCE = 2 ]; then echo ouch >&2; exit 3; fi"),
                  5, 1);
  EXPECT_EQ(world.carry_out(), 0);
  EXPECT_EQ(world.committed(), 4u);
  EXPECT_EQ(read_file(world.attempt(2) / "out.log"), "this is 2\n");
  EXPECT_EQ(read_file(world.attempt(2) / "trace"), "left\n");
  const AttemptRecord attempt = world.instance(2).attempts.at(0);
  EXPECT_EQ(attempt.state, AttemptState::failed);
  EXPECT_EQ(attempt.exit_code, 3);
  EXPECT_THAT(attempt.message, HasSubstr("ouch"));
  EXPECT_THAT(world.events(2), ElementsAre("started", "failed"));
}

TEST(Pack, AProgramThatIsNotThereIsAFailureThatNamesIt) {
  PackWorld world(PackWorld::command("no-such-program"), 2, 1);
  EXPECT_EQ(world.carry_out(), 0);
  EXPECT_THAT(world.instance(1).attempts.at(0).message, HasSubstr("no-such-program"));
}

TEST(Pack, AFailureIsTriedAgainAsTheStageSays) {
  Stage stage = PackWorld::command("[ $KERNMILL_INSTANCE != 1 ] || [ $KERNMILL_ATTEMPT = 3 ]");
  stage.retries.max = 2;
  stage.retries.on = {"error"};
  PackWorld world(stage, 3, 2);
  EXPECT_EQ(world.carry_out(), 0);
  EXPECT_THAT(world.events(1),
              ElementsAre("started", "retrying", "started", "retrying", "started", "committed"));
  EXPECT_EQ(world.committed(), 3u);
}

TEST(Pack, DeclaredOutputsBecomeArtifactsInDirectoriesOfTheirOwn) {
  Stage stage = PackWorld::command("echo $KERNMILL_INSTANCE >$KERNMILL_OUTPUT/answer.txt");
  stage.config["outputs"] = {"answer.txt"};
  PackWorld world(stage, 2, 1);
  ASSERT_EQ(world.carry_out(), 0);
  const Artifact artifact = world.instance(1).artifacts.at(0);
  EXPECT_EQ(artifact.path, world.attempt(1) / "answer.txt");
  EXPECT_EQ(read_file(artifact.path), "1\n");
}

TEST(Pack, WhatMayNotRunIsSkippedOrFails) {
  Stage stage = PackWorld::command("true");
  stage.when = "${{ matrix.i != 2 }}";
  PackWorld world(stage, 4, 1);
  world.admit = [](InstanceId id) {
    if (id.index == 0) return exec::Admission{exec::Admission::What::skip, "its parent was skipped"};
    if (id.index == 1) return exec::Admission{exec::Admission::What::fail, "no parent"};
    return exec::Admission{};
  };
  EXPECT_EQ(world.carry_out(), 0);
  EXPECT_EQ(world.instance(0).skip_reason, "its parent was skipped");
  EXPECT_EQ(world.instance(1).attempts.at(0).message, "no parent");
  EXPECT_TRUE(world.instance(2).skipped);
  EXPECT_TRUE(world.instance(3).committed);
}

TEST(Pack, AnInstanceThatReachesItsTimeLimitFailsAlone) {
  Stage stage = PackWorld::command("if [ $KERNMILL_INSTANCE = 1 ]; then trap '' TERM; sleep 600; fi");
  stage.resources["time"] = "1s";
  PackWorld world(stage, 3, 1);
  EXPECT_EQ(world.carry_out(), 0);
  EXPECT_EQ(world.committed(), 2u);
  EXPECT_EQ(world.instance(1).attempts.at(0).cause, Cause::timeout);
}

TEST(Pack, TasksOfOneRankNeedNoLauncher) {
  ::setenv("KERNMILL_TASK", FAKE_TASK, 1);
  Stage stage = PackWorld::command("");
  stage.kind = TaskKind::train;
  stage.config = {{"result", {{"metrics", {{"loss", 0.5}}}, {"artifacts", {{"model", "model.h5"}}}}}};
  PackWorld world(stage, 2, 1);
  ASSERT_EQ(world.carry_out(), 0);
  EXPECT_EQ(world.instance(1).metrics, (Json{{"loss", 0.5}}));
  EXPECT_EQ(world.instance(1).artifacts.at(0).path, world.attempt(1) / "model.h5");
  ::unsetenv("KERNMILL_TASK");
}

TEST(Pack, TasksOfSeveralRanksAreLaunchedOnTheNode) {
  ::setenv("KERNMILL_TASK", FAKE_TASK, 1);
  Stage stage = PackWorld::command("");
  stage.kind = TaskKind::train;
  stage.resources["ntasks"] = 2;
  stage.config = {{"ready", "PIPE"}, {"result", {{"metrics", {{"loss", 0.5}}}}}};
  PackWorld world(stage, 1, 1);
  const int element = world.start();
  const std::string first = world.pipe().next(), second = world.pipe().next();
  EXPECT_NE(first, second);
  EXPECT_EQ(reap(element), 0);
  EXPECT_EQ(world.committed(), 1u);
  ::unsetenv("KERNMILL_TASK");
}

TEST(Pack, TasksThatLeaveNoArtifactsLeaveNoDirectory) {
  ::setenv("KERNMILL_TASK", FAKE_TASK, 1);
  Stage stage = PackWorld::command("");
  stage.kind = TaskKind::train;
  stage.config = {{"result", {{"metrics", {{"loss", 0.5}}}}}};
  PackWorld world(stage, 20, 2);
  ASSERT_EQ(world.carry_out(), 0);
  EXPECT_EQ(world.committed(), 20u);
  for (unsigned i = 0; i < 20; ++i)
    EXPECT_FALSE(std::filesystem::exists(world.attempt(i) / "spec.json")) << i;
  ::unsetenv("KERNMILL_TASK");
}

}  // namespace
}  // namespace kernmill
