// A packed element that is killed, told to stop, started again, or short of memory.
#include <csignal>
#include <fstream>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernmill/exec/pack/pack_memory.hpp"
#include "kernmill/os/process.hpp"
#include "pack_world.hpp"

namespace kernmill {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::PackWorld;

/// How often each instance wrote its number into the file `ran`.
std::map<int, int> runs_of(const PackWorld& world) {
  std::istringstream lines(world.text("ran"));
  std::map<int, int> count;
  for (int index = 0; lines >> index;) ++count[index];
  return count;
}

TEST(PackFault, ARestartAfterAKillRunsOnlyWhatHasNotCommitted) {
  PackWorld world(PackWorld::command("echo $KERNMILL_INSTANCE >>$PLACE/ran"), 200, 2);
  int durable = 0;
  const auto die_in_the_middle = [&durable](const Record& record, bool is_durable) {
    if (record.event == "committed" && is_durable && ++durable == 40) ::raise(SIGKILL);
  };
  ASSERT_EQ(world.carry_out(0, die_in_the_middle), 128 + SIGKILL);
  end_tree(0, 0, world.run().name());
  const RunRecord before = fold_journal(world.run().journal());
  const std::size_t committed = world.committed();
  ASSERT_GE(committed, 40u);
  ASSERT_LT(committed, 200u);
  ASSERT_EQ(world.carry_out(1), 0);
  EXPECT_EQ(world.committed(), 200u);
  const auto runs = runs_of(world);
  for (unsigned i = 0; i < 200; ++i) {
    const InstanceRecord* earlier = before.find("s", i);
    if (earlier == nullptr || !earlier->committed) continue;
    EXPECT_EQ(runs.at(static_cast<int>(i)), 1) << i;
  }
}

TEST(PackFault, InstancesEndWithAPackThatIsKilledBetweenTwoRecords) {
  PackWorld world(PackWorld::command("true"), 50, 2);
  bool seen = false;
  const auto die_before = [&seen](const Record& record, bool is_durable) {
    if (record.event == "committed" && !is_durable && !std::exchange(seen, true)) ::raise(SIGKILL);
  };
  ASSERT_EQ(world.carry_out(0, die_before), 128 + SIGKILL);
  EXPECT_EQ(world.committed(), 0u) << "what was not flushed has not happened";
  ASSERT_EQ(world.carry_out(1), 0);
  EXPECT_EQ(world.committed(), 50u);
  EXPECT_EQ(world.instance(0).attempts.back().number, 2u);
}

// The number of a first attempt is known by the element's start; that of another one is not.
class RetryInAPack : public ::testing::TestWithParam<bool> {};
TEST_P(RetryInAPack, IsJournalledBeforeItBegins) {
  Stage stage = PackWorld::command("[ $KERNMILL_ATTEMPT = 2 ] || exit 1; echo ready >$PIPE; sleep 600");
  stage.retries.max = 1;
  stage.retries.on = {"error"};
  PackWorld world(stage, 1, 1);
  world.is_local = GetParam();
  world.flush_interval = std::chrono::hours(1);
  const int element = world.start();
  world.pipe().next();
  ::kill(element, SIGKILL);
  EXPECT_EQ(reap(element), 128 + SIGKILL);
  EXPECT_THAT(world.events(0), ElementsAre("started", "retrying", "started"));
  EXPECT_EQ(world.instance(0).attempts.back().number, 2u);
}
INSTANTIATE_TEST_SUITE_P(HereAndInJobs, RetryInAPack, ::testing::Bool());

/// Whether a process ends within a minute.
bool ends(int pid) {
  const FileDescriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  pollfd entry{process.get(), POLLIN, 0};
  return !process || ::poll(&entry, 1, 60'000) == 1;
}

TEST(PackFault, WhatAKilledElementWasRunningEndsToo) {
  PackWorld world(PackWorld::command("setsid sleep 600 & sleep 600 & echo $$ $! >$PIPE; wait"), 1, 1);
  const int element = world.start();
  std::istringstream line(world.pipe().next());
  int shell = 0, sleeper = 0;
  line >> shell >> sleeper;
  ::kill(element, SIGKILL);
  EXPECT_EQ(reap(element), 128 + SIGKILL);
  EXPECT_TRUE(ends(shell));
  EXPECT_TRUE(ends(sleeper));
}

TEST(PackFault, ARequestToStopIsPassedOnAndTheRestRunsLater) {
  PackWorld world(
      PackWorld::command("trap 'exit 75' TERM\n"
                         "[ $KERNMILL_INSTANCE = 0 ] || [ $KERNMILL_ATTEMPT = 2 ] ||\n"
                         "  { echo ready >$PIPE; while :; do read -r -t 60 line <$PLACE/never; done; }"),
      6, 2);
  ASSERT_EQ(::mkfifo((world.run().root().parent_path().parent_path() / "never").c_str(), 0600), 0);
  const int element = world.start();
  world.pipe().next();
  world.pipe().next();
  ::kill(element, SIGTERM);
  EXPECT_EQ(reap(element), 75);
  EXPECT_THAT(world.events(0), ElementsAre("started", "committed"));
  EXPECT_THAT(world.events(1), ElementsAre("started", "stopped"));
  EXPECT_THAT(world.events(5), ElementsAre()) << "its turn had not come";
  ASSERT_EQ(world.carry_out(1), 0);
  EXPECT_EQ(world.committed(), 6u);
}

TEST(PackFault, WhatComesToItsEndWhenItIsToldToStopKeepsWhatItHasMade) {
  Stage stage = PackWorld::command(
      "trap 'echo 1 >$KERNMILL_OUTPUT/value; exit 0' TERM\n"
      "echo ready >$PIPE; while :; do read -r -t 60 line <$PLACE/never; done");
  stage.config["outputs"] = {"value"};
  PackWorld world(stage, 1, 1);
  ASSERT_EQ(::mkfifo((world.run().root().parent_path().parent_path() / "never").c_str(), 0600), 0);
  const int element = world.start();
  world.pipe().next();
  ::kill(element, SIGTERM);
  EXPECT_EQ(reap(element), 75);
  EXPECT_THAT(world.events(0), ElementsAre("started", "committed"));
  const InstanceRecord instance = world.instance(0);
  ASSERT_EQ(instance.artifacts.size(), 1u);
  EXPECT_EQ(instance.artifacts[0].path, (world.attempt(0) / "value").string());
  EXPECT_TRUE(std::filesystem::exists(instance.artifacts[0].path));
}

// As Slurm does it: every process of the job gets the signal, in no order.
TEST(PackFault, AnInstanceThatIsToldToStopBeforeItsElementHasNotFailed) {
  PackWorld world(PackWorld::command("echo $$ >$PIPE; sleep 600"), 3, 2);
  const int element = world.start();
  const int first = std::stoi(world.pipe().next()), second = std::stoi(world.pipe().next());
  ::kill(first, SIGTERM);
  ::kill(second, SIGTERM);
  ::kill(element, SIGTERM);
  EXPECT_EQ(reap(element), 75);
  EXPECT_THAT(world.events(0), ElementsAre("started", "stopped"));
  EXPECT_THAT(world.events(1), ElementsAre("started", "stopped"));
}

TEST(PackFault, AnInstanceThatSomebodyElseEndsHasFailed) {
  PackWorld world(PackWorld::command("kill -TERM $$"), 1, 1);
  EXPECT_EQ(world.carry_out(), 0);
  EXPECT_THAT(world.events(0), ElementsAre("started", "failed"));
}

TEST(PackFault, WhoeverDoesNotStopIsEnded) {
  PackWorld world(PackWorld::command("trap '' TERM; echo $$ >$PIPE; while :; do sleep 600; done"), 2, 1);
  world.stop_grace = std::chrono::milliseconds(200);
  const int element = world.start();
  const int instance = std::stoi(world.pipe().next());
  ::kill(element, SIGUSR1);
  EXPECT_EQ(reap(element), 75);
  EXPECT_EQ(::kill(instance, 0), -1) << "the instance still runs";
  EXPECT_THAT(world.events(0), ElementsAre("started", "stopped"));
  EXPECT_EQ(world.instance(0).attempts.at(0).cause, Cause::timeout);
}

TEST(PackFault, AnOlderElementLeavesTheFieldToANewer) {
  PackWorld world(PackWorld::command("echo $$ >$PIPE; sleep 600"), 2, 2);
  const int element = world.start();
  const int instance = std::stoi(world.pipe().next());
  std::ofstream(world.run().journal() / "7_0.1.elsewhere.exec.jsonl") << "";
  EXPECT_EQ(reap(element), 99);
  EXPECT_EQ(::kill(instance, 0), -1) << "the instance still runs";
}

/// 300 MB in a shell, and then for ever.
constexpr const char* greedy =
    "if [ $KERNMILL_INSTANCE = 1 ] && [ $KERNMILL_ATTEMPT -le $GREED ]; then\n"
    "  x=$(head -c 300000000 /dev/zero | tr '\\0' x); read -r line <$PIPE; fi";

TEST(PackFault, WantOfMemoryCostsTheGuiltyInstanceAloneAndItGetsASecondChance) {
  Stage stage = PackWorld::command(greedy);
  stage.env["GREED"] = "1";
  PackWorld world(stage, 6, 2);
  world.mem = 200'000'000;
  EXPECT_EQ(world.carry_out(), 0);
  EXPECT_THAT(world.events(1), ElementsAre("started", "retrying", "started", "committed"));
  EXPECT_EQ(world.instance(1).attempts.at(0).cause, Cause::oom);
  for (const unsigned i : {0U, 2U, 3U, 4U, 5U})
    EXPECT_THAT(world.events(i), ElementsAre("started", "committed"));
}

TEST(PackFault, WantOfAllTheMemoryOfTheElementIsAFailure) {
  Stage stage = PackWorld::command(greedy);
  stage.env["GREED"] = "9";
  PackWorld world(stage, 3, 2);
  world.mem = 200'000'000;
  EXPECT_EQ(world.carry_out(), 0);
  EXPECT_THAT(world.events(1), ElementsAre("started", "retrying", "started", "failed"));
  EXPECT_THAT(world.instance(1).attempts.back().message, HasSubstr("out of memory"));
  EXPECT_EQ(world.committed(), 2u);
}

TEST(PackFault, TheMemoryOfAnInstanceIsThatOfAllItsProcesses) {
  testing::TemporaryDirectory directory;
  testing::EventPipe pipe(directory.path() / "pipe");
  SpawnOptions options;
  options.argv = {"/bin/bash", "-c",
                  "(x=$(head -c 50000000 /dev/zero | tr '\\0' x); echo ready >$0; read -r line <$1) & wait",
                  pipe.path(), (directory.path() / "never").string()};
  ASSERT_EQ(::mkfifo(options.argv[4].c_str(), 0600), 0);
  options.env = {{"PATH", "/usr/bin:/bin"}};
  const int shell = spawn(options);
  pipe.next();
  EXPECT_GT(exec::resident_memory(shell), 50'000'000u);
  end_tree(shell, start_time_of(shell), "");
  reap(shell);
}

TEST(PackFault, MemoryIsLookedAtBeforeItCanBeFull) {
  constexpr std::uint64_t giga = 1'000'000'000;
  EXPECT_EQ(exec::until_next_sample(0, 100 * giga, 4).count(), 1'000);
  EXPECT_EQ(exec::until_next_sample(giga / 2, giga, 5).count(), 100);
  EXPECT_EQ(exec::until_next_sample(2 * giga, giga, 5).count(), 30);
}

}  // namespace
}  // namespace kernmill
