// How a command goes on where an earlier attempt of it has stopped.
#include <ctime>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec_world.hpp"
#include "kernmill/os/durable_file.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using testing::ExecWorld;

std::string output(const ExecWorld& world, unsigned attempt) {
  return read_file(world.run().attempt("c", 0, attempt) / "out.log");
}

TEST(Continuation, AttemptsShareOneFolderAndAreToldWhetherSomethingIsInIt) {
  ExecWorld world(
      {ExecWorld::command("c",
                          "echo $KERNMILL_ATTEMPT $KERNMILL_RESUMED; ls $KERNMILL_CHECKPOINTS; "
                          "[ $KERNMILL_ATTEMPT = 1 ] || touch $KERNMILL_CHECKPOINTS/at-$KERNMILL_ATTEMPT; [ "
                          "$KERNMILL_ATTEMPT = 3 ]")});
  EXPECT_EQ(world.carry_out("c", 0, 1), 1);
  EXPECT_EQ(world.carry_out("c", 0, 2), 1);
  EXPECT_EQ(world.carry_out("c", 0, 3), 0);
  EXPECT_EQ(output(world, 1), "1 0\n");
  EXPECT_EQ(output(world, 2), "2 0\n") << "the first attempt has left nothing";
  EXPECT_EQ(output(world, 3), "3 1\nat-2\n");
}

TEST(Continuation, ARestartThatReadsCheckpointsIsTakenWhenThereAreSome) {
  ExecWorld world(
      {ExecWorld::command("c", "[ $KERNMILL_ATTEMPT = 1 ] || touch $KERNMILL_CHECKPOINTS/a; exit 1",
                          {{"restart", "ls $KERNMILL_CHECKPOINTS"}})});
  EXPECT_EQ(world.carry_out("c", 0, 1), 1);
  EXPECT_EQ(world.carry_out("c", 0, 2), 1) << "there was nothing to go on from";
  EXPECT_EQ(world.carry_out("c", 0, 3), 0);
  EXPECT_EQ(output(world, 3), "a\n");
}

TEST(Continuation, TheDeadlineIsTheEndInSecondsAndMovesWithTheTimeFactor) {
  Stage c = ExecWorld::command("c", "echo $KERNMILL_DEADLINE"), free = ExecWorld::command("free", "");
  free.config["run"] = "echo \"(${KERNMILL_DEADLINE-none})\"";
  c.resources = {{"time", 10}};
  ExecWorld world({c, free});
  const std::time_t before = std::time(nullptr);
  ASSERT_EQ(world.carry_out("c", 0, 1), 0);
  ASSERT_EQ(world.carry_out("c", 0, 2, {"--time-factor", "2"}), 0);
  const std::time_t after = std::time(nullptr);
  const long first = std::stol(output(world, 1)), second = std::stol(output(world, 2));
  EXPECT_GE(first, before + 600);
  EXPECT_LE(first, after + 600);
  EXPECT_GE(second, before + 1200);
  EXPECT_LE(second, after + 1200);
  ASSERT_EQ(world.carry_out("free"), 0);
  EXPECT_EQ(read_file(world.run().attempt("free", 0, 1) / "out.log"), "(none)\n");
}

TEST(Continuation, AFileThatChangesAtAnyDepthIsProgress) {
  const testing::TemporaryDirectory folder;
  fs::create_directories(folder.path() / "epochs" / "3");
  const fs::path file = folder.path() / "epochs" / "3" / "weights";
  const std::string none = checkpoint_mark(folder.path());
  std::ofstream(file) << "one";
  const std::string first = checkpoint_mark(folder.path());
  EXPECT_NE(first, none);
  EXPECT_EQ(checkpoint_mark(folder.path()), first);
  std::ofstream(file, std::ios::app) << "two";
  EXPECT_NE(checkpoint_mark(folder.path()), first);
}

}  // namespace
}  // namespace kernmill
