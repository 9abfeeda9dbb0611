// How an element ends that has not committed: who told it to, and what the batch system is asked for.
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch_world.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/process.hpp"

namespace kernmill {
namespace {

using testing::BatchWorld;
using ::testing::ElementsAre;
using testing::EventPipe;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* out_of_memory =
    "echo 'slurmstepd: error: StepId=1.0 exceeded memory limit (120 > 100), being killed' >&2; exit 137";
/// Saves a checkpoint when it is asked to stop.
constexpr const char* saves =
    "trap 'mkdir -p $KERNMILL_RUN/stages/c/0/checkpoints; echo 1 >$KERNMILL_RUN/stages/c/0/checkpoints/a; "
    "exit 75' "
    "TERM; echo ready >$PIPE; while :; do read -t 1 x <>$PIPE.none || :; done";
constexpr const char* stops =
    "trap 'exit 75' TERM; echo ready >$PIPE; while :; do read -t 1 x <>$PIPE.none || :; done";

Stage retried(Stage stage, int max) {
  stage.retries.max = max;
  stage.retries.mem_factor = 2;
  stage.retries.time_factor = 1.5;
  return stage;
}

/// Starts the stage "c" and signals kernmill-exec once it is ready. Returns its exit status.
int run_and_signal(BatchWorld& world, int signal) {
  const EventPipe none(world.pipe().path() + ".none");
  const int exec = world.start_job("c");
  world.pipe().next();
  ::kill(exec, signal);
  return reap(exec);
}

TEST(SlurmAttemptRetry, OutOfMemoryGetsMoreOfIt) {
  BatchWorld world({retried(BatchWorld::command("c", out_of_memory), 2)});
  EXPECT_EQ(world.run_job("c"), 75) << world.log();
  EXPECT_EQ(world.events("c").back(), "retrying");
  EXPECT_EQ(world.body("retrying", "c")["cause"], "oom");
  EXPECT_EQ(world.body("retrying", "c")["mem_factor"], 2.0);
  EXPECT_THAT(world.calls(), ElementsAre("requeue 1", "change 1 mem=200M"));
}

// Where memory is sampled, the batch system would end the whole batch process, and there would be no retry.
TEST(SlurmAttemptRetry, StepThatTakesTooMuchIsEndedBeforeTheBatchSystemDoesIt) {
  BatchWorld world(
      {retried(BatchWorld::command("c", "x=$(head -c 300000000 /dev/zero | tr '\\0' x); sleep 600"), 1)});
  EXPECT_EQ(world.run_job("c"), 75) << world.log();
  EXPECT_EQ(world.body("retrying", "c")["cause"], "oom");
  EXPECT_THAT(world.calls(), ElementsAre("requeue 1", "change 1 mem=200M"));
}

TEST(SlurmAttemptRetry, RetriesAreCountedOverTheStartsOfTheJob) {
  BatchWorld world({retried(BatchWorld::command("c", out_of_memory), 2)});
  EXPECT_EQ(world.run_job("c", 0, 0), 75);
  EXPECT_EQ(world.run_job("c", 0, 1), 75);
  EXPECT_EQ(world.body("retrying", "c", 0, 1)["mem_factor"], 4.0);
  EXPECT_EQ(world.run_job("c", 0, 2), 1);
  EXPECT_EQ(world.events("c", 0, 2).back(), "failed");
}

TEST(SlurmAttemptRetry, PlainKillIsNoLackOfMemory) {
  BatchWorld world({retried(BatchWorld::command("c", "kill -9 $$"), 2)});
  EXPECT_EQ(world.run_job("c"), 1);
  EXPECT_EQ(world.body("failed", "c")["cause"], "error");
  EXPECT_THAT(world.calls(), IsEmpty());
}

TEST(SlurmAttemptRetry, FailureIsFinalWhenTheJobIsNotTakenBack) {
  BatchWorld world({retried(BatchWorld::command("c", out_of_memory), 2)});
  world.tell("refuse", "");
  EXPECT_EQ(world.run_job("c"), 1);
  EXPECT_THAT(world.events("c"), ElementsAre("started", "step_started", "retrying", "failed"));
  EXPECT_THAT(world.body("failed", "c")["message"].get<std::string>(), HasSubstr("did not take it back"));
}

TEST(SlurmAttemptRetry, ControllerThatIsAwayIsAskedAgain) {
  BatchWorld world({retried(BatchWorld::command("c", out_of_memory), 2)});
  world.tell("down", "2");
  EXPECT_EQ(world.run_job("c"), 75) << world.log();
  EXPECT_THAT(world.calls(), ElementsAre("requeue 1", "change 1 mem=200M"));
}

TEST(SlurmAttemptRetry, ContinuationAtTheTimeLimitCostsNoRetry) {
  BatchWorld world({BatchWorld::command("c", saves)});
  EXPECT_EQ(run_and_signal(world, SIGUSR1), 75) << world.log();
  const Json body = world.body("retrying", "c");
  EXPECT_EQ(body["cause"], "timeout");
  EXPECT_EQ(body["counts"], false);
  EXPECT_EQ(body["time_factor"], 1.0);
  EXPECT_THAT(world.calls(), ElementsAre("requeue 1"));
}

TEST(SlurmAttemptRetry, TimeLimitWithoutProgressGetsMoreTime) {
  Stage c = retried(BatchWorld::command("c", stops), 1);
  c.resources = {{"time", "10m"}};
  BatchWorld world({c});
  EXPECT_EQ(run_and_signal(world, SIGUSR1), 75) << world.log();
  EXPECT_EQ(world.body("retrying", "c")["counts"], true);
  EXPECT_THAT(world.calls(), ElementsAre("requeue 1", "change 1 time=15"));
}

TEST(SlurmAttemptRetry, TimeLimitWithoutProgressOrRetriesIsAFailure) {
  BatchWorld world({BatchWorld::command("c", stops)});
  EXPECT_EQ(run_and_signal(world, SIGUSR1), 1);
  EXPECT_EQ(world.body("failed", "c")["cause"], "timeout");
}

TEST(SlurmAttemptRetry, ThePackWhoseTimeIsOverGivesItsInstancesThatCause) {
  Stage c = testing::over(BatchWorld::command("c", stops), 3);
  c.pack = 3;
  BatchWorld world({c});
  EXPECT_EQ(run_and_signal(world, SIGUSR1), 0) << world.log();
  const RunRecord record = fold_journal(world.run().journal());
  for (unsigned index = 0; index < 3; ++index) {
    const AttemptRecord& last = record.find("c", index)->attempts.back();
    EXPECT_EQ(last.state, AttemptState::failed) << index;
    EXPECT_EQ(last.cause, Cause::timeout) << index;
    EXPECT_THAT(last.message, HasSubstr("reached its time limit before it "));
  }
}

TEST(SlurmAttemptRetry, WhatDoesNotStopIsEndedInTimeToBePutBack) {
  Stage c =
      retried(BatchWorld::command(
                  "c", "trap '' TERM; echo ready >$PIPE; while :; do read -t 1 x <>$PIPE.none || :; done"),
              1);
  BatchWorld world({c});
  world.tell("limit", "6");
  EXPECT_EQ(run_and_signal(world, SIGUSR1), 75) << world.log();
  EXPECT_EQ(world.body("retrying", "c")["cause"], "timeout");
  EXPECT_THAT(world.calls(), ElementsAre("requeue 1"));
}

// A batch system may warn a minute before it was asked to.
TEST(SlurmAttemptRetry, AnEarlyWarningIsPassedOnWhenTheLeadBegins) {
  Stage c = BatchWorld::command(
      "c",
      "trap 'date +%s >told; exit 75' USR1; echo $KERNMILL_DEADLINE >deadline; echo ready >$PIPE; "
      "while :; do read -t 0.1 x <>$PIPE.none || :; done");
  c.signal = "USR1";
  c.signal_lead = std::chrono::seconds(2);
  c.resources = {{"time", "10m"}};
  BatchWorld world({c});
  const std::time_t end = std::time(nullptr) + 10;
  world.tell("state", "running");
  world.tell("ends", std::to_string(end));
  EXPECT_EQ(run_and_signal(world, SIGUSR1), 1) << world.log();
  constexpr int for_us = 5;
  const long told = std::stol(read_file(world.path() / "told"));
  EXPECT_GE(told, end - for_us - 2 - 1);
  EXPECT_LE(told, end - for_us);
  EXPECT_EQ(read_file(world.path() / "deadline"), std::to_string(end) + "\n");
}

TEST(SlurmAttemptRetry, PreemptedJobGoesOnByItself) {
  BatchWorld world({BatchWorld::command("c", stops)});
  world.tell("state", "completing pending");
  EXPECT_EQ(run_and_signal(world, SIGTERM), 75);
  EXPECT_EQ(world.body("retrying", "c")["cause"], "preempted");
  EXPECT_EQ(world.body("retrying", "c")["counts"], false);
  EXPECT_THAT(world.calls(), IsEmpty());
}

TEST(SlurmAttemptRetry, StepThatWasEndedBeforeItsJobWasToldIsNoFailure) {
  BatchWorld world({BatchWorld::command("c", "kill -TERM $$")});
  world.tell("state", "completing pending");
  EXPECT_EQ(world.run_job("c"), 75);
  EXPECT_EQ(world.events("c").back(), "retrying");
  EXPECT_EQ(world.body("retrying", "c")["cause"], "preempted");
  EXPECT_THAT(world.calls(), IsEmpty());
}

TEST(SlurmAttemptRetry, CancelledJobHasStopped) {
  BatchWorld world({retried(BatchWorld::command("c", stops), 3)});
  world.tell("state", "completing cancelled");
  EXPECT_EQ(run_and_signal(world, SIGTERM), 75);
  EXPECT_EQ(world.events("c").back(), "stopped");
  EXPECT_EQ(world.body("stopped", "c")["cause"], "cancelled");
  EXPECT_THAT(world.calls(), IsEmpty());
}

TEST(SlurmAttemptRetry, NodeThatFailedIsAvoided) {
  BatchWorld world(
      {retried(BatchWorld::command("c", "echo 'srun: error: Node failure on n2' >&2; exit 1"), 1)});
  EXPECT_EQ(world.run_job("c"), 75);
  EXPECT_EQ(world.body("retrying", "c")["node"], "n2");
  EXPECT_THAT(world.calls(), ElementsAre("requeue 1", "change 1 exclude=n2"))
      << "not that of the batch script";
}

/// Three instances, the command of which fails on n1 alone.
Stage fails_on_n1(int max) {
  Stage c = retried(BatchWorld::command("c", "[ $SLURMD_NODENAME = n2 ]"), max);
  c.retries.on = {"error"};
  c.matrix.axes = {{"i", {0, 1, 2}}};
  c.resources = {{"exclude", "n7"}};
  return c;
}

TEST(SlurmAttemptRetry, NodeThatSeveralInstancesFailOnAloneIsAvoided) {
  BatchWorld world({fails_on_n1(3)});
  world.environment = {{"SLURMD_NODENAME", "n2"}};
  EXPECT_EQ(world.run_job("c", 2), 0) << world.log();
  world.environment.clear();
  EXPECT_EQ(world.run_job("c", 0), 75);
  EXPECT_THAT(world.calls(), ElementsAre("requeue 1_0")) << "that may be its own fault";
  EXPECT_EQ(world.run_job("c", 1), 75);
  EXPECT_THAT(world.calls(), ElementsAre("requeue 1_0", "requeue 1_1", "change 1_1 exclude=n7,n1"));
  EXPECT_THAT(world.log(), HasSubstr("the next attempt avoids n1 until "));
}

TEST(SlurmAttemptRetry, ProgramThatFailsEverywhereIsNoFaultOfItsNode) {
  BatchWorld world({fails_on_n1(3)});
  EXPECT_EQ(world.run_job("c", 0), 75);
  EXPECT_EQ(world.run_job("c", 1), 75);
  EXPECT_THAT(world.calls(), ElementsAre("requeue 1_0", "requeue 1_1"));
}

}  // namespace
}  // namespace kernmill
