// The last job of a submitted run, and what elements cancel before it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch_world.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/process.hpp"

namespace kernmill {
namespace {

using testing::BatchWorld;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Stage after(Stage stage, std::vector<std::string> needs) {
  stage.needs = std::move(needs);
  return stage;
}

std::string outcome(const BatchWorld& world) {
  const auto file = world.run().journal() / ("99-g1.0." + host_name() + ".close.jsonl");
  std::string outcome = "none";
  for (const Record& record : read_journal_file(file))
    if (record.event == "run_finished") outcome = record.body["outcome"];
  return outcome;
}

TEST(Element, FailureCancelsWhatCanNoLongerRun) {
  BatchWorld world({BatchWorld::command("a", "false"), after(BatchWorld::command("b", "true"), {"a"}),
                    after(BatchWorld::command("c", "true"), {"b"}), BatchWorld::command("d", "true")});
  EXPECT_EQ(world.run_job("a"), 1);
  EXPECT_EQ(world.run_job("d"), 0);
  EXPECT_THAT(world.calls(), ElementsAre("cancel 2", "cancel 3"));
}

TEST(Element, CommitSkipsChildrenWhoseConditionIsFalse) {
  Stage b = after(BatchWorld::command("b", "true"), {"a"});
  b.when = "${{ stages.a.loss < 0.1 }}";
  BatchWorld world({BatchWorld::command("a", "echo loss=0.5 >$KERNMILL_METRICS"), b,
                    after(BatchWorld::command("c", "true"), {"b"})});
  EXPECT_EQ(world.run_job("a"), 0) << world.log();
  EXPECT_EQ(world.body("skipped", "a")["stage"], "b");
  EXPECT_THAT(world.calls(), ElementsAre("cancel 2", "cancel 3"));
  EXPECT_EQ(world.close(), 0);
  EXPECT_EQ(outcome(world), "done");
}

TEST(Element, FailFastCancelsEverythingThatWaits) {
  BatchWorld world({BatchWorld::command("a", "false"), BatchWorld::command("b", "true")}, true);
  EXPECT_EQ(world.run_job("a"), 1);
  EXPECT_THAT(world.calls(), ElementsAre("cancel 2"));
}

TEST(Closing, RunWhoseStagesAreDoneIsDone) {
  BatchWorld world({BatchWorld::command("a", "true")});
  EXPECT_EQ(world.run_job("a"), 0);
  EXPECT_EQ(world.close(), 0) << world.log();
  EXPECT_EQ(outcome(world), "done");
}

TEST(Closing, RunWithAFailureHasFailed) {
  BatchWorld world({BatchWorld::command("a", "false"), after(BatchWorld::command("b", "true"), {"a"})});
  EXPECT_EQ(world.run_job("a"), 1);
  EXPECT_EQ(world.close(), 1);
  EXPECT_EQ(outcome(world), "failed");
}

TEST(Closing, AttemptWithoutALastWordIsSettledAndOrphansAreCancelled) {
  BatchWorld world({BatchWorld::command("a", "echo ready >$PIPE; read x <$PIPE.go")});
  const testing::EventPipe go(world.pipe().path() + ".go");
  const int exec = world.start_job("a");
  world.pipe().next();
  ::kill(exec, SIGKILL);
  reap(exec);
  const std::string ours = "kernmill:" + world.run().name() + ":1:";
  world.tell("jobs", "1 - node_fail " + ours + "a.0\n7 3-5 pending " + ours + "b.0\n99 - running " + ours +
                         "close\n8 - running kernmill:other:1:x.0\n");
  EXPECT_EQ(world.close(), 1) << world.log();
  EXPECT_THAT(world.calls(), ElementsAre("cancel 7_[3-5]"));
  EXPECT_EQ(outcome(world), "failed");
  const RunRecord record = fold_journal(world.run().journal());
  EXPECT_EQ(record.find("a", 0)->attempts.back().state, AttemptState::abandoned);
  EXPECT_EQ(record.find("a", 0)->attempts.back().cause, Cause::node_fail);
}

TEST(Closing, EndsThatOfAnOlderSubmission) {
  BatchWorld world({BatchWorld::command("a", "true")});
  world.submit_again(2, 2, 10);
  EXPECT_EQ(world.run_job("a"), 0);
  const std::string ours = "kernmill:" + world.run().name();
  world.tell("jobs", "98 - pending " + ours + ":1:close\n99 - running " + ours + ":2:close\n100 - pending " +
                         ours + ":3:close\n");
  EXPECT_EQ(world.close(), 0) << world.log();
  EXPECT_THAT(world.calls(), ElementsAre("cancel 98"));
}

TEST(Closing, CancelledRunIsCancelled) {
  BatchWorld world({BatchWorld::command("a", "trap 'exit 75' TERM; echo ready >$PIPE; read x <>$PIPE.go")});
  const testing::EventPipe go(world.pipe().path() + ".go");
  world.tell("state", "completing cancelled");
  const int exec = world.start_job("a");
  world.pipe().next();
  ::kill(exec, SIGTERM);
  EXPECT_EQ(reap(exec), 75);
  EXPECT_EQ(world.close(), 1);
  EXPECT_EQ(outcome(world), "cancelled");
}

TEST(Closing, ControllerThatIsAwayDoesNotKeepTheEndFromBeingWritten) {
  BatchWorld world({BatchWorld::command("a", "true")});
  EXPECT_EQ(world.run_job("a"), 0);
  world.tell("down", "1");
  EXPECT_EQ(world.close(), 0);
  EXPECT_EQ(outcome(world), "done");
}

TEST(Closing, NewerSubmissionGoesOnWithTheRun) {
  BatchWorld world({BatchWorld::command("a", "false")});
  EXPECT_EQ(world.run_job("a"), 1);
  world.submit_again(2, 2, 10);
  world.generation = 1;
  EXPECT_EQ(world.close(), 0);
  EXPECT_EQ(outcome(world), "none");
}

TEST(Closing, RunsTheHookOfItsOutcome) {
  BatchWorld world({BatchWorld::command("a", "true")});
  Json document = Json::parse(read_file(world.run().plan()));
  document["workflow"]["on_success"] = "echo \"$KERNMILL_OUTCOME $KERNMILL_RUN\"";
  document["workflow"]["on_failure"] = "echo failure; exit 3";
  write_file_durably(world.run().plan(), document.dump());
  BatchWorld& same = world;
  EXPECT_EQ(same.run_job("a"), 0);
  EXPECT_EQ(same.close(), 0);
  EXPECT_THAT(same.log(), HasSubstr("done " + world.run().root().string()));
}

}  // namespace
}  // namespace kernmill
