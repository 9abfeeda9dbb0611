// One element of a submitted array, in its job.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "batch_world.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/process.hpp"
#include "kernmill/run/journal/open_attempts.hpp"

namespace kernmill {
namespace {

using testing::BatchWorld;
using ::testing::ElementsAre;
using testing::EventPipe;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::over;

Stage after(Stage stage, std::vector<std::string> needs) {
  stage.needs = std::move(needs);
  return stage;
}

std::string output(const BatchWorld& world, const std::string& stage, unsigned index = 0,
                   unsigned attempt = 1) {
  return read_file(world.run().attempt(stage, index, attempt) / "out.log");
}

TEST(SlurmElement, IsTheInstanceOfItsNumber) {
  BatchWorld world({over(BatchWorld::command("c", "echo $KERNMILL_MATRIX_X $KERNMILL_TOKEN"), 3)});
  ASSERT_EQ(world.run_job("c", 2), 0) << world.log();
  EXPECT_THAT(world.events("c", 2), ElementsAre("started", "step_started", "committed"));
  EXPECT_EQ(world.body("started", "c", 2)["job"], "1_2");
  EXPECT_EQ(output(world, "c", 2), "2 " + attempt_token(world.run(), "c", 2, 1) + "\n");
}

TEST(SlurmElement, RestartOfTheJobIsTheNextAttempt) {
  BatchWorld world({BatchWorld::command("c", "echo $KERNMILL_ATTEMPT")});
  ASSERT_EQ(world.run_job("c", 0, 2), 0) << world.log();
  EXPECT_EQ(output(world, "c", 0, 3), "3\n");
}

// A batch system that has lost its state gives out the same ids again.
TEST(SlurmElement, IsNotInTheWayOfAnotherGenerationsJobOfTheSameId) {
  BatchWorld world({BatchWorld::command("c", "[ $KERNMILL_ATTEMPT = 2 ]")});
  EXPECT_EQ(world.run_job("c"), 1);
  world.submit_again(2, 2, 1);
  EXPECT_EQ(world.run_job("c"), 0) << world.log();
  EXPECT_EQ(world.body("committed", "c")["attempt"], 2);
}

// It has lost its last moments alone, and does not know that it had started the job.
TEST(SlurmElement, StartedTwiceUnderOneNumberTheSecondIsTheNewerAttempt) {
  BatchWorld world({BatchWorld::command("c", "[ $KERNMILL_ATTEMPT = 2 ]")});
  EXPECT_EQ(world.run_job("c"), 1);
  EXPECT_EQ(world.run_job("c"), 0) << world.log();
  EXPECT_EQ(world.body("committed", "c", 0, 1)["attempt"], 2);
}

TEST(SlurmElement, CommittedBeforeIsNotMadeAgain) {
  BatchWorld world({BatchWorld::command("c", "true")});
  ASSERT_EQ(world.run_job("c"), 0);
  EXPECT_EQ(world.run_job("c", 0, 1), 0);
  EXPECT_THAT(world.events("c", 0, 1), IsEmpty());
}

TEST(SlurmElement, BlockedOneEndsQuietly) {
  BatchWorld world({BatchWorld::command("p", "false"), after(BatchWorld::command("c", "true"), {"p"})});
  EXPECT_EQ(world.run_job("p"), 1);
  EXPECT_EQ(world.run_job("c"), 1);
  EXPECT_THAT(world.events("c"), IsEmpty());
  EXPECT_THAT(world.log(), HasSubstr("c does not run"));
}

// A parent whose job is unknown to the batch system by now counts as fulfilled there.
TEST(SlurmElement, ParentWithoutACommitIsNoParent) {
  BatchWorld world({BatchWorld::command("p", "true"), after(BatchWorld::command("c", "true"), {"p"})});
  EXPECT_EQ(world.run_job("c"), 1);
  EXPECT_THAT(world.events("c"), IsEmpty());
  EXPECT_THAT(world.log(), HasSubstr("the journal has no commit of p"));
}

TEST(SlurmElement, CommitThatShowsUpLateIsWaitedFor) {
  BatchWorld world({BatchWorld::command("p", "true"), after(BatchWorld::command("c", "true"), {"p"})});
  world.environment = {{"KERNMILL_FILE_PATIENCE", "60"}};
  const int child = world.start_job("c");
  ASSERT_EQ(world.run_job("p"), 0);
  EXPECT_EQ(reap(child), 0) << world.log();
}

TEST(SlurmElement, FailureOfAnEarlierSubmissionDoesNotBlock) {
  BatchWorld world({BatchWorld::command("p", "[ $KERNMILL_ATTEMPT = 2 ]"),
                    after(BatchWorld::command("c", "true"), {"p"})});
  EXPECT_EQ(world.run_job("p"), 1);
  world.submit_again(2, 2, 10);
  world.environment = {{"KERNMILL_FILE_PATIENCE", "60"}};
  const int child = world.start_job("c");
  EXPECT_EQ(world.run_job("p"), 0);
  EXPECT_EQ(reap(child), 0) << world.log();
}

TEST(SlurmElement, FalseConditionIsASkip) {
  Stage c = after(BatchWorld::command("c", "true"), {"p"});
  c.when = "${{ stages.p.loss < 0.1 }}";
  BatchWorld world({BatchWorld::command("p", "true"), c, after(BatchWorld::command("d", "true"), {"c"})});
  world.commit("p", 0, {{"loss", 0.5}});
  EXPECT_EQ(world.run_job("c"), 0);
  EXPECT_THAT(world.events("c"), ElementsAre("skipped"));
  EXPECT_EQ(world.run_job("d"), 0);
  EXPECT_THAT(world.events("d"), IsEmpty());
}

TEST(SlurmElement, ConditionThatCannotBeComputedIsAFailure) {
  Stage c = after(BatchWorld::command("c", "true"), {"p"});
  c.when = "${{ stages.p.loss < 0.1 }}";
  BatchWorld world({BatchWorld::command("p", "true"), c});
  world.commit("p", 0, {});
  EXPECT_EQ(world.run_job("c"), 1);
  EXPECT_THAT(world.body("failed", "c")["message"].get<std::string>(), HasSubstr("stages.p.loss"));
}

// What a lost node runs on is an attempt of the same job, with a smaller restart count.
TEST(SlurmElement, OlderAttemptOnALostNodeDoesNotCommit) {
  BatchWorld world({BatchWorld::command(
      "c",
      "[ $KERNMILL_ATTEMPT = 2 ] || { echo ready >$PIPE; read x <$PIPE.go; }; echo 1 >$KERNMILL_OUTPUT/f",
      {{"outputs", {"f"}}})});
  EventPipe go(world.pipe().path() + ".go");
  const int older = world.start_job("c");
  world.pipe().next();
  EXPECT_EQ(world.run_job("c", 0, 1), 0) << world.log();
  std::ofstream(go.path()) << "go" << std::endl;
  EXPECT_EQ(reap(older), 1);
  EXPECT_THAT(world.body("failed", "c")["message"].get<std::string>(), HasSubstr("attempt 2"));
  const RunRecord record = fold_journal(world.run().journal());
  EXPECT_TRUE(record.find("c", 0)->committed);
  EXPECT_THAT(record.find("c", 0)->artifacts[0].path, HasSubstr("attempt-2"));
  EXPECT_THAT(world.calls(), IsEmpty());
}

TEST(SlurmElement, OlderAttemptOnALostNodeDoesNotRequeueTheJobOfTheNewer) {
  Stage c = BatchWorld::command(
      "c", "[ $KERNMILL_ATTEMPT = 2 ] || { echo ready >$PIPE; read x <$PIPE.go; exit 1; }");
  c.retries.max = 3;
  c.retries.on = {"error"};
  BatchWorld world({c, after(BatchWorld::command("d", "true"), {"c"})});
  EventPipe go(world.pipe().path() + ".go");
  const int older = world.start_job("c");
  world.pipe().next();
  EXPECT_EQ(world.run_job("c", 0, 1), 0) << world.log();
  std::ofstream(go.path()) << "go" << std::endl;
  EXPECT_EQ(reap(older), 1);
  EXPECT_EQ(world.events("c").back(), "failed");
  EXPECT_THAT(world.calls(), IsEmpty());
}

TEST(SlurmElement, ShowsThatItLivesByTheTimeOfItsJournalFile) {
  BatchWorld world({BatchWorld::command("c", "echo ready >$PIPE; read x <$PIPE.go")});
  EventPipe go(world.pipe().path() + ".go");
  world.environment = {{"KERNMILL_HEARTBEAT", "1"}};
  const int exec = world.start_job("c");
  world.pipe().next();
  const auto file = world.run().journal() / ("1-g1.0." + host_name() + ".exec.jsonl");
  const auto long_ago = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
  std::filesystem::last_write_time(file, long_ago);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::filesystem::last_write_time(file) < long_ago + std::chrono::minutes(30) &&
         std::chrono::steady_clock::now() < deadline)
    ::usleep(50'000);
  EXPECT_GT(std::filesystem::last_write_time(file), long_ago + std::chrono::minutes(30));
  std::ofstream(go.path()) << "go" << std::endl;
  EXPECT_EQ(reap(exec), 0);
}

TEST(SlurmElement, UnknownArrayAndElementAreSaid) {
  BatchWorld world({over(BatchWorld::command("c", "true"), 2)});
  EXPECT_EQ(world.run_job("c", 7), 2);
  EXPECT_THAT(world.log(), HasSubstr("no element 7"));
  world.generation = 5;
  EXPECT_EQ(world.run_job("c", 0), 2);
  EXPECT_THAT(world.log(), HasSubstr("generation 5"));
}

}  // namespace
}  // namespace kernmill
