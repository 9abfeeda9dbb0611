// What a program of one's own finds, and how it goes on: run by kernmill as a user would.
#include <fstream>

#include <gmock/gmock.h>

#include "kill_world.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class OwnProgram : public ::testing::Test {
 protected:
  OwnProgram() : world("diamond.yaml") {}
  void workflow(const std::string& text) const { file("flow.yaml", text); }
  void file(const std::string& name, const std::string& text) const {
    fs::create_directories((world.folder() / name).parent_path());
    std::ofstream(world.folder() / name) << text;
  }
  /// The file of the first attempt of an instance.
  [[nodiscard]] std::string left(const std::string& instance, const std::string& name) const {
    return content(world.runs().back().root() / "stages" / instance / "attempt-1" / name);
  }
  KillWorld world;
};

bool has(const std::string& program) {
  return run_program({{"/bin/sh", "-c", "command -v " + program}, "/", {}}).exit_code == 0;
}

TEST_F(OwnProgram, RanksFindEachOtherWithoutMpi) {
  if (!has("mpiexec") || !has("python3")) GTEST_SKIP() << "without mpiexec or python3";
  fs::copy_file(WORKFLOWS "/../../support/meet.py", world.folder() / "meet.py");
  workflow(
      "stages:\n"
      "  alone: {run: $KERNMILL_LAUNCH python3 meet.py, outputs: [met], resources: {ntasks: 2}}\n"
      "  packed: {run: $KERNMILL_LAUNCH python3 meet.py, outputs: [met], resources: {ntasks: 2}, pack: 2,\n"
      "           matrix: {i: [1, 2]}}\n");
  const Finished done = world.run({"run", "flow.yaml"});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  for (const char* instance : {"alone/0", "packed/0", "packed/1"})
    EXPECT_EQ(left(instance, "met"),
              "RANK=0 WORLD_SIZE=2 LOCAL_RANK=0 LOCAL_WORLD_SIZE=2 NODE_RANK=0\n"
              "RANK=1 WORLD_SIZE=2 LOCAL_RANK=1 LOCAL_WORLD_SIZE=2 NODE_RANK=0\n")
        << instance;
}

TEST_F(OwnProgram, AnOptionBehindTheLauncherIsToldWhereItBelongs) {
  workflow("stages: {a: {run: $KERNMILL_LAUNCH --label true}}\n");
  const Finished done = world.run({"run", "flow.yaml"});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(left("a/0", "err.log"), HasSubstr("${KERNMILL_LAUNCH/srun/srun --label}"));
}

// A killed attempt has no time to say anything: what is in the folder counts.
TEST_F(OwnProgram, GoesOnFromItsCheckpointsWithoutUsingUpARetry) {
  const std::string steps =
      "      n=$(cat $KERNMILL_CHECKPOINTS/step 2>/dev/null || echo 0)\n"
      "      echo \"$KERNMILL_ATTEMPT $KERNMILL_RESUMED $n\" >> log$KERNMILL_INSTANCE\n"
      "      test $n -lt 2 || exit 0\n"
      "      echo $((n + 1)) > $KERNMILL_CHECKPOINTS/step\n"
      "      sleep 100\n";
  workflow("stages:\n  alone:\n    resources: {time: 1s}\n    run: |\n" + steps);
  const Finished done = world.run({"run", "flow.yaml"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(world.lines("log0"), ::testing::ElementsAre("1 0 0", "2 1 1", "3 1 2"));
  fs::remove(world.folder() / "log0");
  workflow(
      "stages:\n  packed:\n    resources: {time: 1s}\n    pack: 2\n    matrix: {i: [1, 2]}\n    run: |\n" +
      steps);
  const Finished packed = world.run({"run", "flow.yaml"});
  EXPECT_EQ(packed.exit_code, 0) << packed.err;
  for (const char* log : {"log0", "log1"})
    EXPECT_THAT(world.lines(log), ::testing::ElementsAre("1 0 0", "2 1 1", "3 1 2")) << log;
}

TEST_F(OwnProgram, CheckpointsSurviveAResume) {
  workflow(
      "stages:\n  a:\n    run: |\n"
      "      echo \"$KERNMILL_RESUMED $(ls $KERNMILL_CHECKPOINTS)\" >> log\n"
      "      touch $KERNMILL_CHECKPOINTS/one; test -e ready\n");
  EXPECT_EQ(world.run({"run", "flow.yaml"}).exit_code, 1);
  file("ready", "");
  EXPECT_EQ(world.run({"resume", "last"}).exit_code, 0);
  EXPECT_THAT(world.lines("log"), ::testing::ElementsAre("0 ", "1 one"));
}

}  // namespace
}  // namespace kernmill::testing
