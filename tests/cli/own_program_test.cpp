// What a program of one's own finds, and how it goes on: run by kernmill as a user would.
#include <fstream>

#include <gmock/gmock.h>

#include "kill_world.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
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

/// An example of workflows/README.md.
std::string example(const std::string& name) {
  const std::string text = content(WORKFLOWS "/../../../workflows/README.md");
  const std::size_t begin = text.find('\n', text.find("```", text.find("<!-- " + name + " -->"))) + 1;
  return text.substr(begin, text.find("```\n", begin) - begin);
}

TEST_F(OwnProgram, TheExamplesSaveWhenTheSignalComesAndGoOn) {
  if (!has("python3")) GTEST_SKIP() << "without python3";
  file("train.py", example("signal.py"));
  file("train.sh", example("signal.sh"));
  workflow(
      "defaults: {signal: USR1@3, resources: {time: 6s}, env: {STEPS: 45}}\n"
      "stages:\n"
      "  python: {run: python3 train.py}\n"
      "  behind_a_shell: {run: 'cd .; python3 train.py; echo done'}\n"
      "  bash: {run: . ./train.sh}\n"
      "  packed: {run: python3 train.py, pack: 2, matrix: {i: [1, 2]}}\n");
  const Finished done = world.run({"run", "flow.yaml"});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  const RunRecord record = fold_journal(world.runs().back().journal());
  for (const auto& [key, instance] : record.instances) {
    EXPECT_GE(instance.attempts.size(), 2u) << key.first;
    EXPECT_EQ(instance.attempts.front().cause, Cause::timeout) << key.first;
  }
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

TEST_F(OwnProgram, GetsWhatItsStagePassesAndNothingElse) {
  const std::string sees =
      "test \"$WANDB_MODE-$HF_HOME-${SECRET_KEY:+set}-${OTHER-none}\" = off-line-here-set-none";
  workflow(
      "stages:\n"
      "  alone: {run: '" +
      sees +
      " && ! env | grep KERNMILL_PASSED', pass_env: [WANDB_*, HF_HOME, SECRET_KEY]}\n"
      "  packed: {run: '" +
      sees +
      "', pass_env: [WANDB_*, HF_HOME, SECRET_KEY], pack: 2, matrix: {i: [1, 2]}}\n"
      "  all: {run: 'test $OTHER = too', pass_env: all}\n");
  Invocation invocation = world.kernmill({"run", "flow.yaml"});
  for (const auto& [name, value] : {std::pair("WANDB_MODE", "off-line"), std::pair("HF_HOME", "here"),
                                    std::pair("SECRET_KEY", "0123456789-hush"), std::pair("OTHER", "too")})
    invocation.environment.emplace_back(name, value);
  const Finished done = run_program(invocation);
  ASSERT_EQ(done.exit_code, 0) << done.err;
  for (const auto& entry : fs::recursive_directory_iterator(world.folder() / "runs")) {
    EXPECT_THAT(content(entry.path()), Not(HasSubstr("0123456789-hush"))) << entry.path();
  }
  const std::string told = world.run({"explain", "last", "alone", "--env"}).out;
  EXPECT_THAT(told, AllOf(HasSubstr("alone, attempt 1\n"), HasSubstr("pass_env"), HasSubstr("(not kept)"),
                          HasSubstr("KERNMILL_STAGE"), Not(HasSubstr("off-line")), Not(HasSubstr("hush"))));
  EXPECT_THAT(world.run({"explain", "last", "packed.1", "--env"}).err,
              HasSubstr("was packed and left no folder"));
}

TEST_F(OwnProgram, WhatIsPassedIsPartOfTheKeyAndASecretIsNot) {
  workflow(
      "stages: {a: {run: date > $KERNMILL_OUTPUT/o, outputs: [o], inputs: [], pass_env: [MODE, X_TOKEN]}}\n");
  const auto run = [&](const std::string& mode, const std::string& token) {
    Invocation invocation = world.kernmill({"run", "flow.yaml"});
    invocation.environment.emplace_back("MODE", mode);
    invocation.environment.emplace_back("X_TOKEN", token);
    return run_program(invocation).err;
  };
  EXPECT_THAT(run("one", "0123456789-hush"), Not(HasSubstr("cached")));
  EXPECT_THAT(run("one", "9876543210-hush"), HasSubstr("cached"));
  EXPECT_THAT(run("two", "9876543210-hush"), Not(HasSubstr("cached")));
  EXPECT_THAT(world.run({"explain"}).out, HasSubstr("variable MODE changed"));
}

TEST_F(OwnProgram, RunsInItsPythonEnvironment) {
  file("venv/bin/python", "#!/bin/sh\necho the-python-of-$VIRTUAL_ENV$CONDA_PREFIX\n");
  file("conda/bin/python", "#!/bin/sh\necho the-python-of-$VIRTUAL_ENV$CONDA_PREFIX $FROM_PACKAGE\n");
  file("conda/etc/conda/activate.d/package.sh", "export FROM_PACKAGE=of-a-package\n");
  fs::create_directory(world.folder() / "conda" / "conda-meta");
  for (const char* kind : {"venv", "conda"})
    fs::permissions(world.folder() / kind / "bin" / "python", fs::perms::owner_all);
  workflow(
      "stages:\n"
      "  a: {run: python, python: venv}\n"
      "  b: {run: python; echo $PYTHONHOME, python: conda, setup: 'export PYTHONHOME=later'}\n");
  const Finished done = world.run({"run", "flow.yaml"});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(left("a/0", "out.log"), "the-python-of-" + (world.folder() / "venv").string() + "\n");
  EXPECT_EQ(left("b/0", "out.log"),
            "the-python-of-" + (world.folder() / "conda").string() + " of-a-package\nlater\n");
  EXPECT_THAT(world.run({"explain", "last", "a.0", "--env"}).out,
              HasSubstr("python: " + (world.folder() / "venv").string()));
}

TEST_F(OwnProgram, AllOfAnEnvironmentGoesToNoCluster) {
  workflow("stages: {a: {run: 'true', pass_env: all}}\n");
  const Finished refused = world.run({"submit", "flow.yaml"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("pass_env: [HF_HOME, WANDB_*]"));
}

}  // namespace
}  // namespace kernmill::testing
