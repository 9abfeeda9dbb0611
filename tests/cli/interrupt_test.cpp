// Ctrl-C, kernmill cancel, and a second conductor.
#include <csignal>
#include <fstream>

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "kill_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::HasSubstr;

/// Runs a workflow whose first attempt says that it has started, and then waits to be stopped.
class Interrupted : public ::testing::Test {
 protected:
  Interrupted() : world("patient.yaml") {
    mkfifo((world.folder() / "started").c_str(), 0600);
    program.emplace(world.kernmill({"run", "flow.yaml"}));
    std::string word;
    std::getline(std::ifstream(world.folder() / "started"), word);
  }

  KillWorld world;
  std::optional<Program> program;
};

TEST_F(Interrupted, ByCtrlCSaysHowToComeBackAndExitsWith130) {
  program->send(SIGINT);
  const Finished finished = program->wait();
  EXPECT_EQ(finished.exit_code, 130);
  EXPECT_THAT(finished.err, HasSubstr("kernmill resume " + world.runs().back().name()));
  EXPECT_EQ(fold_journal(world.runs().back().journal()).outcome, "interrupted");
  world.go_on();
  world.expect_whole();
}

TEST_F(Interrupted, ByCancelExitsWith130) {
  EXPECT_EQ(world.run({"cancel"}).exit_code, 0);
  EXPECT_EQ(program->wait().exit_code, 130);
  EXPECT_EQ(fold_journal(world.runs().back().journal()).outcome, "cancelled");
  EXPECT_TRUE(processes_with_token(run_token(world.runs().back())).empty());
}

TEST_F(Interrupted, ASecondConductorIsToldWhoTheFirstIs) {
  const Finished second = world.run({"resume"});
  EXPECT_EQ(second.exit_code, 3);
  EXPECT_THAT(second.err, HasSubstr("process " + std::to_string(program->pid())));
}

TEST_F(Interrupted, IsNotRemovedWhileItRuns) {
  EXPECT_THAT(world.run({"clean", "--keep", "0", "--yes"}).out, HasSubstr("it is running"));
  EXPECT_TRUE(std::filesystem::exists(world.runs().back().plan()));
}

TEST_F(Interrupted, HasItsLogsFollowedUntilItIsGone) {
  Program logs(world.kernmill({"logs", "only", "-f"}));
  program->send(SIGKILL);
  program->wait();
  EXPECT_EQ(logs.wait().exit_code, 0);
}

TEST_F(Interrupted, HasItsLogsFollowedUntilItEnds) {
  Program logs(world.kernmill({"logs", "only", "-f"}));
  program->send(SIGINT);
  program->wait();
  const Finished finished = logs.wait();
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(finished.out, "one line\n");
}

}  // namespace
}  // namespace kernmill::testing
