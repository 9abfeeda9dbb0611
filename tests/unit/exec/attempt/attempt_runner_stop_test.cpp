// Signals, time limits and sudden ends.
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "exec_world.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/os/process.hpp"

namespace kernmill {
namespace {

using ::testing::AnyOf;
using testing::ExecWorld;
using ::testing::HasSubstr;

bool has_mpiexec() {
  return ::access("/usr/bin/mpiexec", X_OK) == 0;
}

/// Of a process that is not this one's child.
void wait_for_end(const ProcessIdentity& process) {
  const FileDescriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  pollfd entry{handle.get(), POLLIN, 0};
  if (handle && is_alive(process.pid, process.start_time)) ::poll(&entry, 1, 60'000);
}

TEST(AttemptRunnerStop, SignalBecomesAStopOfTheTask) {
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) {
    ExecWorld world({ExecWorld::task("fit", {{"ready", "PIPE"}, {"wait", true}})});
    const int exec = world.start("fit");
    world.pipe().next();
    ::kill(exec, signal);
    EXPECT_EQ(reap(exec), 75);
    EXPECT_EQ(world.pipe().next(), "stopped");
    EXPECT_EQ(world.last_record("fit").event, "stopped");
    EXPECT_EQ(world.last_record("fit").body["cause"], "cancelled");
  }
}

TEST(AttemptRunnerStop, EveryRankUnderMpiexecHearsItAndMpiexecLivesUntilTheyEnd) {
  if (!has_mpiexec()) GTEST_SKIP() << "no mpiexec";
  Stage fit = ExecWorld::task("fit", {{"ready", "PIPE"}, {"wait", true}});
  fit.resources = {{"ntasks", 3}};
  ExecWorld world({fit});
  world.use_mpi = true;
  const int exec = world.start("fit");
  for (int rank = 0; rank < 3; ++rank) world.pipe().next();
  ::kill(exec, SIGTERM);
  for (int rank = 0; rank < 3; ++rank) EXPECT_EQ(world.pipe().next(), "stopped");
  EXPECT_EQ(reap(exec), 75);
  EXPECT_EQ(world.last_record("fit").event, "stopped");
}

TEST(AttemptRunnerStop, ErrorOfOneRankDecidesWhateverMpiexecReturns) {
  if (!has_mpiexec()) GTEST_SKIP() << "no mpiexec";
  Stage fit = ExecWorld::task("fit", {{"error", {{"message", "one class only"}}}, {"exit", 1}});
  fit.resources = {{"ntasks", 2}};
  ExecWorld world({fit});
  world.use_mpi = true;
  EXPECT_EQ(world.carry_out("fit"), 1);
  EXPECT_EQ(world.message("fit"), "one class only");
}

TEST(AttemptRunnerStop, RankEndedByASignalUnderMpiexecIsNoResult) {
  if (!has_mpiexec()) GTEST_SKIP() << "no mpiexec";
  // mpiexec returns 0 when SIGTERM ended a rank, and 11 for SIGSEGV.
  ExecWorld world(
      {ExecWorld::task("term", {{"raise", SIGTERM}}), ExecWorld::task("segv", {{"raise", SIGSEGV}})});
  world.use_mpi = true;
  EXPECT_EQ(world.carry_out("term"), 1);
  EXPECT_EQ(world.last_record("term").event, "failed");
  EXPECT_EQ(world.carry_out("segv"), 1);
  EXPECT_THAT(world.message("segv"), AnyOf(HasSubstr("SIGSEGV"), HasSubstr("mpiexec may be when a rank")));
}

TEST(AttemptRunnerStop, CommandEndedOnRequestHasStopped) {
  ExecWorld world({ExecWorld::command("c", "echo ready >$PIPE; sleep 1000")});
  const int exec = world.start("c");
  world.pipe().next();
  ::kill(exec, SIGTERM);
  EXPECT_EQ(reap(exec), 75);
  EXPECT_EQ(world.last_record("c").event, "stopped");
}

TEST(AttemptRunnerStop, TaskThatStopsBeforeItsTimeLimitCanBeContinued) {
  Stage fit = ExecWorld::task("fit", {{"ready", "PIPE"}, {"wait", true}});
  fit.resources = {{"time", 1}};
  ExecWorld world({fit});
  EXPECT_EQ(world.carry_out("fit", 0, 1, {"--time-factor", "0.02"}), 75);
  EXPECT_EQ(world.last_record("fit").event, "stopped");
  EXPECT_EQ(world.last_record("fit").body["cause"], "timeout");
}

TEST(AttemptRunnerStop, WhatDoesNotStopIsEndedAtItsTimeLimit) {
  Stage c = ExecWorld::command("c", "trap '' TERM; while :; do read -t 1 x <>$PIPE || :; done");
  c.resources = {{"time", 1}};
  ExecWorld world({c});
  EXPECT_EQ(world.carry_out("c", 0, 1, {"--time-factor", "0.005"}), 1);
  EXPECT_EQ(world.last_record("c").event, "failed");
  EXPECT_EQ(world.last_record("c").body["cause"], "timeout");
  EXPECT_TRUE(find_tree(0, 0, world.token("c")).empty());
}

/// What a command has printed when it was asked to stop after its first word on the pipe.
std::string output_of_stopped(const std::string& signal, const std::string& run, int status) {
  Stage c = ExecWorld::command("c", run);
  c.signal = signal;
  ExecWorld world({c});
  const int exec = world.start("c");
  world.pipe().next();
  ::kill(exec, SIGTERM);
  EXPECT_EQ(reap(exec), status);
  EXPECT_EQ(world.last_record("c").event, "stopped");
  return read_file(world.run().attempt("c", 0, 1) / "out.log");
}

constexpr const char* patient = "echo ready >$PIPE; while :; do sleep 0.05; done";

TEST(AttemptRunnerStop, ACommandGetsTheSignalThatItsStageNames) {
  EXPECT_EQ(output_of_stopped("USR1", std::string("trap 'echo saved; exit 75' USR1; ") + patient, 75),
            "saved\n");
  EXPECT_EQ(output_of_stopped("USR1", std::string("trap 'echo saved; exit 75' TERM; ") + patient, 75),
            "saved\n")
      << "nobody listens to USR1";
}

TEST(AttemptRunnerStop, AShellWaitsForTheProgramThatSavesItself) {
  const std::string program =
      std::string("sh -c \"trap 'sleep 0.2; echo saved; exit 75' TERM; ") + patient + "\"";
  EXPECT_EQ(output_of_stopped("", "cd .\n" + program + "\necho no more\n", 75), "saved\n");
  EXPECT_EQ(output_of_stopped("", "cd .\n" + program + " || echo with $?; exit 75", 75), "saved\nwith 75\n");
}

TEST(AttemptRunnerStop, ACommandThatDoesNotListenWorksUntilItsLimit) {
  Stage c = ExecWorld::command("c", "sleep 1000");
  c.resources = {{"time", 1}};
  ExecWorld world({c});
  EXPECT_EQ(world.carry_out("c", 0, 1, {"--time-factor", "0.02"}), 1);
  EXPECT_EQ(world.last_record("c").body["cause"], "timeout");
  EXPECT_EQ(world.last_record("c").body["signal"], SIGKILL) << "it was not ended a third of its time before";
}

TEST(AttemptRunnerStop, AFailureNearTheLimitIsNoTimeout) {
  Stage c = ExecWorld::command(
      "c", "while [ $(date +%s) -lt $((KERNMILL_DEADLINE - 1)) ]; do sleep 0.05; done; exit 3");
  c.resources = {{"time", 1}};
  c.signal_lead = std::chrono::seconds(3);
  ExecWorld world({c});
  EXPECT_EQ(world.carry_out("c", 0, 1, {"--time-factor", "0.1"}), 1);
  EXPECT_EQ(world.last_record("c").body["cause"], "error");
}

TEST(AttemptRunnerStop, NothingThatAStepLeftBehindOutlivesItsCommit) {
  ExecWorld world({ExecWorld::task("fit", {{"orphan", "PIPE"}, {"result", {{"metrics", {{"a", 1}}}}}})});
  ASSERT_EQ(world.carry_out("fit"), 0) << world.message("fit");
  EXPECT_TRUE(find_tree(0, 0, world.token("fit")).empty());
}

TEST(AttemptRunnerStop, RanksOfAKilledExecAreFoundByTheirTokenAndEnded) {
  ExecWorld world({ExecWorld::task("fit", {{"ready", "PIPE"}, {"hang", true}})});
  const int exec = world.start("fit");
  const int rank = std::stoi(world.pipe().next());
  const auto start = start_time_of(rank);
  ::kill(exec, SIGKILL);
  reap(exec);
  ASSERT_TRUE(is_alive(rank, start));
  end_tree(0, 0, world.token("fit"));
  EXPECT_FALSE(is_alive(rank, start));
}

TEST(AttemptRunnerStop, ExecWhoseParentDiesStopsItsStep) {
  ExecWorld world({ExecWorld::task("fit", {{"ready", "PIPE"}, {"wait", true}})});
  const int parent = ::fork();
  if (parent == 0) {
    world.start("fit");
    for (;;) ::pause();
  }
  world.pipe().next();
  const RunRecord record = fold_journal(world.run().journal());
  const ProcessIdentity exec = record.find("fit", 0)->attempts.at(0).exec;
  ::kill(parent, SIGKILL);
  reap(parent);
  EXPECT_EQ(world.pipe().next(), "stopped");
  wait_for_end(exec);
  EXPECT_EQ(world.last_record("fit").event, "stopped");
}

}  // namespace
}  // namespace kernmill
