// kernmill and kernmill-exec are killed, at every boundary of their journals and at random moments; `kernmill
// resume` has to finish the run, running nothing again that had committed, with no process left behind.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <random>

#include <sys/stat.h>

#include "kill_world.hpp"

namespace kernmill::testing {
namespace {

bool long_suite() {
  const char* value = std::getenv("KERNMILL_LONG");
  return value != nullptr && std::string(value) == "1";
}

/// Kills kernmill at its `boundary`-th journal boundary. False when it ended before it got there.
bool killed_at(const KillWorld& world, int boundary, std::vector<std::string> words) {
  Invocation invocation = world.kernmill(std::move(words), KERNMILL_DYING);
  invocation.environment.emplace_back("KERNMILL_TEST_DIE_AT", std::to_string(boundary));
  return run_program(invocation).exit_code == 128 + SIGKILL;
}

void kill_conductor_at_every_boundary(const std::string& workflow) {
  int boundary = 1;
  for (;; ++boundary) {
    SCOPED_TRACE("boundary " + std::to_string(boundary));
    const KillWorld world(workflow);
    if (!killed_at(world, boundary, {"run", "flow.yaml"})) break;
    world.go_on();
    world.expect_whole();
    if (::testing::Test::HasFatalFailure()) return;
  }
  EXPECT_GT(boundary, 12) << "the conductor journalled less than it should have";
}

TEST(Kill, OfTheConductorAtEveryBoundaryOfItsJournal) {
  kill_conductor_at_every_boundary("diamond.yaml");
}

TEST(Kill, OfAConductorWithPacksAtEveryBoundaryOfItsJournal) {
  kill_conductor_at_every_boundary("packed.yaml");
}

TEST(Kill, OfAConductorWhosePlanGrowsAtEveryBoundaryOfItsJournal) {
  kill_conductor_at_every_boundary("later.yaml");
}

TEST(Kill, OfAResumingConductorAtEveryBoundaryOfItsJournal) {
  int boundary = 1;
  for (;; ++boundary) {
    SCOPED_TRACE("boundary " + std::to_string(boundary));
    const KillWorld world("diamond.yaml");
    ASSERT_TRUE(killed_at(world, 6, {"run", "flow.yaml"}));
    if (!killed_at(world, boundary, {"resume"})) break;
    world.go_on();
    world.expect_whole();
  }
  EXPECT_GT(boundary, 8) << "the conductor journalled less than it should have";
}

// The second run takes `bottom` from the cache: its commit is the conductor's own record.
TEST(Kill, OfAConductorThatCommitsFromTheCache) {
  int boundary = 1;
  for (;; ++boundary) {
    SCOPED_TRACE("boundary " + std::to_string(boundary));
    const KillWorld world("cached.yaml");
    ASSERT_EQ(world.run({"run", "flow.yaml"}).exit_code, 0);
    if (!killed_at(world, boundary, {"run", "flow.yaml"})) break;
    world.go_on();
    const RunRecord record = fold_journal(world.runs().back().journal());
    ASSERT_EQ(record.outcome, "done");
    EXPECT_FALSE(record.find("bottom", 0)->attempts.back().cached_from.empty());
    const auto lines = world.ledger();
    EXPECT_EQ(std::count(lines.begin(), lines.end(), "bottom 0 1"), 1)
        << "what has not changed was run again";
  }
  EXPECT_GT(boundary, 4);
}

TEST(Kill, OfKernmillExecAtEveryBoundaryOfItsJournal) {
  for (const std::string instance : {"top.0", "left.1", "bottom.0"}) {
    int boundary = 1;
    for (;; ++boundary) {
      SCOPED_TRACE(instance + " at boundary " + std::to_string(boundary));
      const KillWorld world("diamond.yaml");
      Invocation invocation = world.kernmill({"run", "flow.yaml"});
      invocation.environment.back() = {"KERNMILL_EXEC", world.dying_exec(instance, boundary).string()};
      const Finished first = run_program(invocation);
      if (!world.exec_was_killed()) break;
      // Killed behind its commit it is a success all the same.
      EXPECT_TRUE(first.exit_code == 1 || first.exit_code == 0) << first.err;
      world.go_on();
      world.expect_whole();
    }
    EXPECT_GT(boundary, 4) << instance << " journalled less than it should have";
  }
}

TEST(Kill, OfAPackAtEveryBoundaryOfItsJournal) {
  int boundary = 1;
  for (;; ++boundary) {
    SCOPED_TRACE("boundary " + std::to_string(boundary));
    const KillWorld world("packed.yaml");
    Invocation invocation = world.kernmill({"run", "flow.yaml"});
    invocation.environment.back() = {"KERNMILL_EXEC", world.dying_exec("many.", boundary).string()};
    const Finished first = run_program(invocation);
    if (!world.exec_was_killed()) break;
    EXPECT_TRUE(first.exit_code == 1 || first.exit_code == 0) << first.err;
    world.go_on();
    world.expect_whole();
  }
  EXPECT_GT(boundary, 8) << "the pack journalled less than it should have";
}

// Its guard ends whatever has the token of the pack, and the pack has it, too.
TEST(Kill, IsNotWhatAPackEndsBy) {
  const KillWorld world("packed.yaml");
  Invocation invocation = world.kernmill({"run", "flow.yaml"});
  invocation.environment.back() = {"KERNMILL_EXEC", world.telling_exec().string()};
  EXPECT_EQ(run_program(invocation).exit_code, 0);
  EXPECT_EQ(world.lines("exits"), (std::vector<std::string>{"0", "0"}));
}

class KillOf : public ::testing::TestWithParam<const char*> {};

TEST_P(KillOf, KernmillAtRandomMoments) {
  const int moments = long_suite() ? 50 : 10;
  std::mt19937 random(20261121);
  const auto begun = std::chrono::steady_clock::now();
  {
    const KillWorld world(GetParam());
    ASSERT_EQ(world.run({"run", "flow.yaml"}).exit_code, 0);
  }
  const auto whole =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun);
  for (int moment = 0; moment < moments; ++moment) {
    const KillWorld world(GetParam());
    const std::chrono::microseconds first(random() % static_cast<unsigned>(whole.count()));
    const std::chrono::microseconds second(random() % static_cast<unsigned>(whole.count()));
    SCOPED_TRACE("killed after " + std::to_string(first.count()) + " us, resumed, killed after " +
                 std::to_string(second.count()) + " us");
    for (const auto& [words, after] : {std::pair{std::vector<std::string>{"run", "flow.yaml"}, first},
                                       std::pair{std::vector<std::string>{"resume"}, second}}) {
      Program program(world.kernmill(words));
      if (!program.ends_within(after)) program.send(SIGKILL);
      program.wait();
    }
    world.go_on();
    world.expect_whole();
  }
}

INSTANTIATE_TEST_SUITE_P(Workflows, KillOf, ::testing::Values("diamond.yaml", "packed.yaml"));

TEST(Kill, LeavesOrphansThatResumeEndsBeforeItStartsAnything) {
  const KillWorld world("stubborn.yaml");
  mkfifo((world.folder() / "started").c_str(), 0600);
  Program program(world.kernmill({"run", "flow.yaml"}));
  std::string word;
  std::getline(std::ifstream(world.folder() / "started"),
               word);  // waits until the first attempt is under way
  const std::string token = attempt_token(world.runs().back(), "only", 0, 1);
  EXPECT_GE(processes_with_token(token).size(), 3U);
  program.send(SIGKILL);
  EXPECT_EQ(program.wait().exit_code, 128 + SIGKILL);
  world.go_on();
  EXPECT_TRUE(processes_with_token(token).empty());
  world.expect_whole();
}

// Names of runs are times: two of one workflow, in different folders, may be the same.
TEST(Kill, OfARunDoesNotReachAnotherOfTheSameName) {
  const KillWorld mine("stubborn.yaml"), others("stubborn.yaml");
  std::string word;
  for (const KillWorld* world : {&mine, &others}) mkfifo((world->folder() / "started").c_str(), 0600);
  Program other(others.kernmill({"run", "flow.yaml"}));
  std::getline(std::ifstream(others.folder() / "started"), word);
  const auto alive = processes_with_token(run_token(others.runs().back()));
  EXPECT_GE(alive.size(), 3U);
  {
    Program program(mine.kernmill({"run", "flow.yaml"}));
    std::getline(std::ifstream(mine.folder() / "started"), word);
    program.send(SIGKILL);
    program.wait();
  }
  const auto root = mine.runs().back().root();
  std::filesystem::rename(root, root.parent_path() / others.runs().back().name());
  mine.go_on();
  for (const int process : alive) EXPECT_EQ(kill(process, 0), 0) << "the other run has lost " << process;
  EXPECT_EQ(others.run({"cancel", "--force"}).exit_code, 0);
}

TEST(Kill, LeavesARunThatCancelClosesAndResumeFinishes) {
  const KillWorld world("stubborn.yaml");
  mkfifo((world.folder() / "started").c_str(), 0600);
  Program program(world.kernmill({"run", "flow.yaml"}));
  std::string word;
  std::getline(std::ifstream(world.folder() / "started"), word);
  program.send(SIGKILL);
  program.wait();
  EXPECT_EQ(world.run({"cancel"}).exit_code, 0);
  EXPECT_TRUE(processes_with_token(run_token(world.runs().back())).empty());
  EXPECT_EQ(fold_journal(world.runs().back().journal()).outcome, "cancelled");
  world.go_on();
  world.expect_whole();
}

}  // namespace
}  // namespace kernmill::testing
