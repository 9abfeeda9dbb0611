// Attempts that hang, and attempts that only look like it.
#include <csignal>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "batch_world.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/process.hpp"

namespace kernmill {
namespace {

using testing::BatchWorld;
using ::testing::ElementsAre;
using testing::EventPipe;
using testing::ExecWorld;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

Stage watched(Stage stage, int seconds = 1) {
  stage.stall = std::chrono::seconds(seconds);
  return stage;
}

TEST(AttemptRunnerStall, WhatHangsHasFailedAndSaysWhere) {
  ExecWorld world({watched(ExecWorld::command("c", "sleep 1000"))});
  EXPECT_EQ(world.carry_out("c"), 1);
  const Record last = world.last_record("c");
  EXPECT_EQ(last.event, "failed");
  EXPECT_EQ(last.body["cause"], "stalled");
  const std::filesystem::path stacks = world.run().attempt("c", 0, 1) / "stacks.log";
  EXPECT_THAT(world.message("c"), StartsWith("no output, metric, checkpoint or processor time for 1s; "));
  EXPECT_THAT(world.message("c"), HasSubstr(stacks.string()));
  EXPECT_THAT(world.message("c"), HasSubstr("\nsleep (pid "));
  EXPECT_THAT(read_file(stacks), HasSubstr("== sleep (pid "));
  EXPECT_TRUE(find_tree(0, 0, world.token("c")).empty());
}

TEST(AttemptRunnerStall, ATaskIsAskedForACheckpointFirst) {
  ExecWorld world({watched(ExecWorld::task("fit", {{"ready", "PIPE"}, {"wait", true}}))});
  const int exec = world.start("fit");
  world.pipe().next();
  EXPECT_EQ(world.pipe().next(), "stopped");
  EXPECT_EQ(reap(exec), 1);
  EXPECT_EQ(world.last_record("fit").event, "failed") << "it is no stop from outside";
  EXPECT_EQ(world.last_record("fit").body["cause"], "stalled");
  EXPECT_THAT(world.message("fit"), HasSubstr("\nfake_task (pid "));
}

TEST(AttemptRunnerStall, RanksUnderMpiexecAreLookedAtThemselves) {
  if (::access("/usr/bin/mpiexec", X_OK) != 0) GTEST_SKIP() << "no mpiexec";
  Stage fit = watched(ExecWorld::task("fit", {{"ready", "PIPE"}, {"wait", true}}));
  fit.resources = {{"ntasks", 2}};
  ExecWorld world({fit});
  world.use_mpi = true;
  EXPECT_EQ(world.carry_out("fit"), 1);
  EXPECT_EQ(world.last_record("fit").body["cause"], "stalled");
  const std::string message = world.message("fit");
  const std::size_t first = message.find("\nfake_task (pid ");
  EXPECT_NE(first, std::string::npos) << message;
  EXPECT_NE(message.find("\nfake_task (pid ", first + 1), std::string::npos) << message;
}

// Each lives for three times its limit by one sign alone: a processor, a line a time, a file that grows, a
// process that begins.
TEST(AttemptRunnerStall, WhatWorksIsLeftAlone) {
  const std::string wait = "read -t 0.3 x <>$PIPE.none || :; ";
  const auto ten_times = [&](const std::string& what) {
    return "for i in 1 2 3 4 5 6 7 8 9 10; do " + wait + what + "; done";
  };
  for (const std::string& run :
       {std::string("end=$((SECONDS + 4)); while [ $SECONDS -lt $end ]; do :; done"),
        ten_times("printf . >&2"), ten_times("echo step=$i >> $KERNMILL_METRICS"),
        std::string("for i in 1 2 3 4 5 6; do sleep 0.6; done"),
        ten_times(
            "mkdir -p $KERNMILL_RUN/stages/c/0/checkpoints; : > $KERNMILL_RUN/stages/c/0/checkpoints/$i")}) {
    ExecWorld world({watched(ExecWorld::command("c", run))});
    const EventPipe none(world.pipe().path() + ".none");
    EXPECT_EQ(world.carry_out("c"), 0) << run << ": " << world.message("c");
  }
}

TEST(AttemptRunnerStall, WhatItLeftBehindWorksForIt) {
  // The shell waits without a sign of life for a child of a child that has gone.
  ExecWorld world({watched(ExecWorld::command(
      "c",
      "(setsid bash -c 'end=$((SECONDS + 4)); while [ $SECONDS -lt $end ]; do :; done; echo >$PIPE.end' &)"
      "; read x <$PIPE.end"))});
  const EventPipe end(world.pipe().path() + ".end");
  EXPECT_EQ(world.carry_out("c"), 0) << world.message("c");
}

TEST(AttemptRunnerStall, SomebodyMayStopAProcessAndLookAtIt) {
  ExecWorld world({watched(ExecWorld::command("c", "echo $$ >$PIPE; kill -STOP $$; exit 0"))});
  const int exec = world.start("c");
  const int shell = std::stoi(world.pipe().next());
  while (find_tree(shell, start_time_of(shell), "").front().state != 'T') ::usleep(10'000);
  ::usleep(3'000'000);  // three times its limit
  ::kill(shell, SIGCONT);
  EXPECT_EQ(reap(exec), 0) << world.message("c");
}

TEST(AttemptRunnerStall, WithoutALimitNobodyLooks) {
  ExecWorld world({ExecWorld::command("c", "read -t 2 x <>$PIPE || :")});
  EXPECT_EQ(world.carry_out("c"), 0);
}

Stage tried_again(Stage stage) {
  stage.retries.max = 1;
  return stage;
}

TEST(SlurmAttemptStall, IsTriedAgainUnderItsJob) {
  BatchWorld world(
      {tried_again(watched(BatchWorld::command("c", "[ $KERNMILL_ATTEMPT = 2 ] || read x <>$PIPE")))});
  EXPECT_EQ(world.run_job("c"), 75) << world.log();
  EXPECT_EQ(world.body("retrying", "c")["cause"], "stalled");
  EXPECT_EQ(world.body("retrying", "c")["counts"], true);
  EXPECT_THAT(world.calls(), ElementsAre("requeue 1"));
  EXPECT_EQ(world.run_job("c", 0, 1), 0) << world.log();
}

/// A job of two nodes, of which `other_node` prints the signs of life of the one that is not this.
int run_on_two_nodes(BatchWorld& world, const std::string& other_node) {
  world.environment = {{"SLURM_JOB_NUM_NODES", "2"},
                       {"FAKE_SRUN", "case \"$*\" in *--signs*) " + other_node + ";; esac"}};
  return world.run_job("c");
}

TEST(SlurmAttemptStall, AllNodesAreAskedBeforeAnAttemptIsEnded) {
  BatchWorld world({watched(BatchWorld::command("c", "read x <>$PIPE"))});
  EXPECT_EQ(run_on_two_nodes(world, "echo cpu 5000 held 0 seen 1 processes abc"), 1) << world.log();
  EXPECT_EQ(world.body("failed", "c")["cause"], "stalled");
}

TEST(SlurmAttemptStall, WorkOnAnotherNodeIsASignOfLife) {
  BatchWorld world({watched(BatchWorld::command("c", "read -t 6 x <>$PIPE || :"))});
  EXPECT_EQ(run_on_two_nodes(world, "echo cpu $(date +%s%3N) held 0 seen 1 processes abc"), 0) << world.log();
}

TEST(SlurmAttemptStall, ANodeThatDoesNotAnswerIsTakenToWork) {
  BatchWorld world({watched(BatchWorld::command("c", "read -t 6 x <>$PIPE || :"))});
  EXPECT_EQ(run_on_two_nodes(world, "exit 1"), 0) << world.log();
}

}  // namespace
}  // namespace kernmill
