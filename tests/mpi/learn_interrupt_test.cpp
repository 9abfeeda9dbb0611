#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preprocess_settings.hpp"
#include "temporary_directory.hpp"

/// Training that is interrupted as jobs are, by signals to the whole step, and goes on with other ranks.
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

class Interruption : public ::testing::TestWithParam<const char*> {
 protected:
  const kernmill::testing::TemporaryDirectory own;
  const fs::path directory = own.path();

  void SetUp() override {
    setenv("HYDRA_LAUNCHER", "fork", 1);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    prepare();
  }

  void prepare() {
    const Json config =
        kernmill::testing::preprocess_settings({{"target", {{"column", "digit"}, {"type", "auto"}}},
                                                {"split", {{"type", "every"}, {"every", 5}, {"offset", 4}}},
                                                {"scale", "standard"}});
    ASSERT_EQ(
        wait(start(1, write_spec("preprocess", "data", config, {{"input", KERNMILL_DATA "/digits.csv"}}))),
        0);
  }

  /// Long enough to be interrupted after its first checkpoint.
  static Json config(const std::string& method) {
    Json optimizer = {{"type", "adam"},  {"learning_rate", 1e-3}, {"beta1", 0.9},    {"beta2", 0.999},
                      {"epsilon", 1e-8}, {"epochs", 30},          {"batch_size", 32}};
    Json model = {{"type", "mlp"}, {"hidden", {64}}, {"activation", "relu"}, {"l2", 1e-4}};
    int every = 1;
    if (method == "lbfgs" || method == "softmax") {
      optimizer = {{"type", "lbfgs"},
                   {"max_iterations", method == "softmax" ? 40 : 400},
                   {"tolerance", 1e-30},
                   {"history", 10}};
      every = 5;
    }
    if (method == "softmax") model = {{"type", "softmax"}, {"l2", 1e-4}, {"regularize_bias", false}};
    if (method == "kmeans") {
      model = {{"type", "kmeans"},      {"k", 120},         {"init", "parallel"}, {"restarts", 6},
               {"max_iterations", 300}, {"tolerance", 0.0}, {"epochs", 1}};
      optimizer = nullptr;
    }
    return {{"model", model},
            {"optimizer", optimizer},
            {"seed", 3},
            {"checkpoint", {{"every", every}, {"keep", 2}}}};
  }

  fs::path write_spec(const std::string& kind, const std::string& stage, const Json& config_of_stage,
                      const Json& inputs) {
    fs::create_directories(directory / stage);
    const Json spec = {{"schema_version", 1},
                       {"kind", kind},
                       {"stage", stage},
                       {"config", config_of_stage},
                       {"inputs", inputs},
                       {"output_directory", directory / stage},
                       {"checkpoint_directory", checkpoints(stage)}};
    const fs::path file = directory / stage / "spec.json";
    std::ofstream(file) << spec.dump();
    return file;
  }
  fs::path train_spec(const std::string& stage) {
    return write_spec("train", stage, config(GetParam()), {{"data", directory / "data" / "dataset.h5"}});
  }
  [[nodiscard]] fs::path checkpoints(const std::string& stage) const {
    return directory / stage / "checkpoints";
  }

  /// In a process group of its own, which gets the signals, as a Slurm step does.
  pid_t start(int ranks, const fs::path& spec) {
    const std::string count = std::to_string(ranks), kind = Json::parse(std::ifstream(spec)).at("kind");
    const std::string log = (spec.parent_path() / "log").string();
    std::vector<std::string> words{KERNMILL_MPIEXEC, "-n",         count, KERNMILL_TASK, kind,
                                   "--spec",         spec.string()};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    pid_t process = -1;
    EXPECT_EQ(posix_spawn(&process, words[0].c_str(), &actions, &attributes, arguments.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return process;
  }
  static int wait(pid_t process) {
    int status = 0;
    waitpid(process, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  /// Until a checkpoint lies under its final name. Fails when the process ends before.
  void await_checkpoint(pid_t process, const std::string& stage) {
    while (true) {
      if (fs::exists(checkpoints(stage))) {
        for (const auto& entry : fs::directory_iterator(checkpoints(stage))) {
          if (entry.path().extension() == ".h5") return;
        }
      }
      ASSERT_EQ(waitpid(process, nullptr, WNOHANG), 0) << "it ended before it could be interrupted";
      std::this_thread::yield();
    }
  }
  static std::string content(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// What an undisturbed run on one rank gives.
  std::string undisturbed() {
    EXPECT_EQ(wait(start(1, train_spec("whole"))), 0);
    return content(directory / "whole" / "model.h5");
  }
  void expect_continued(const std::string& stage, int ranks) {
    ASSERT_EQ(wait(start(ranks, train_spec(stage))), 0) << content(directory / stage / "log");
    EXPECT_NE(content(directory / stage / "log").find("continuing from step"), std::string::npos);
    EXPECT_TRUE(content(directory / stage / "model.h5") == undisturbed()) << "the models differ";
  }
};

TEST_P(Interruption, AStopRequestIsContinuedOnOtherRanksBitForBit) {
  const pid_t process = start(3, train_spec("fit"));
  ASSERT_NO_FATAL_FAILURE(await_checkpoint(process, "fit"));
  kill(-process, SIGTERM);
  const int status = wait(process);
  const std::string log = content(directory / "fit" / "log");
  EXPECT_NE(log.find("kernmill-task: stopped on request"), std::string::npos) << log;
  // The ranks end with 75, and so does mpiexec, unless its proxy forwards its own SIGTERM to them before it
  // has reaped the first: from then on it counts every rank as ended with 0 (MPICH 4.0.2, pmip.c,
  // forced_cleanup). kernmill-exec therefore signals the ranks alone, and trusts what they leave.
  EXPECT_TRUE(status == 75 || status == 0) << status << '\n' << log;
  EXPECT_FALSE(fs::exists(directory / "fit" / "model.h5"));
  expect_continued("fit", 2);
}

TEST_P(Interruption, AKilledRunIsContinuedOnOtherRanksBitForBit) {
  const pid_t process = start(2, train_spec("fit"));
  ASSERT_NO_FATAL_FAILURE(await_checkpoint(process, "fit"));
  kill(-process, SIGKILL);
  EXPECT_NE(wait(process), 0);
  EXPECT_FALSE(fs::exists(directory / "fit" / "model.h5"));
  expect_continued("fit", 3);
}

TEST_P(Interruption, ACheckpointOfOtherSettingsIsNotContinued) {
  ASSERT_EQ(wait(start(1, train_spec("fit"))), 0);
  Json other = config(GetParam());
  other["seed"] = 4;
  const fs::path spec = write_spec("train", "fit", other, {{"data", directory / "data" / "dataset.h5"}});
  ASSERT_EQ(wait(start(1, spec)), 0);
  EXPECT_NE(content(directory / "fit" / "log").find("starting anew"), std::string::npos);
}

/// On another kind of processor, as far as BLAS knows.
class OtherBlas : public Interruption {
 protected:
  int train(const Json& how, const char* kernels, const std::string& stage = "fit") {
    setenv("OPENBLAS_CORETYPE", kernels, 1);
    const fs::path spec = write_spec("train", stage, how, {{"data", directory / "data" / "dataset.h5"}});
    const int status = wait(start(1, spec));
    unsetenv("OPENBLAS_CORETYPE");
    return status;
  }
  [[nodiscard]] std::string log() const { return content(directory / "fit" / "log"); }
  [[nodiscard]] bool chooses() const { return log().find("BLAS kernels Nehalem") != std::string::npos; }
};

TEST_P(OtherBlas, IsAWarningWhereNobodyAskedForBits) {
  ASSERT_EQ(train(config(GetParam()), "Nehalem"), 0);
  if (!chooses()) GTEST_SKIP() << "this BLAS has no kernels to choose from";
  ASSERT_EQ(train(config(GetParam()), "Prescott"), 0) << log();
  EXPECT_NE(log().find("was computed by BLAS kernels Nehalem, and this attempt computes by BLAS kernels "),
            std::string::npos)
      << log();
  EXPECT_NE(log().find("continuing from step"), std::string::npos);
}

TEST_P(OtherBlas, IsAnErrorWhereTheyMatter) {
  Json exact = config(GetParam());
  exact["exact"] = true;
  ASSERT_EQ(train(exact, "Nehalem"), 0);
  if (!chooses()) GTEST_SKIP() << "this BLAS has no kernels to choose from";
  EXPECT_NE(train(exact, "Prescott"), 0);
  EXPECT_NE(log().find("leave `exact: true` out"), std::string::npos) << log();
  EXPECT_EQ(train(config(GetParam()), "Nehalem"), 0)
      << "the same training goes on, whether it says so or not";
  EXPECT_NE(log().find("continuing from step"), std::string::npos);
}

TEST_P(OtherBlas, AndThreadsAreNoMatterToANetwork) {
  Json network = config("adam");
  network["exact"] = true;
  network["model"]["hidden"] = {256};  // so large that threads share its products
  network["optimizer"].update({{"batch_size", 128}, {"epochs", 3}});
  ASSERT_EQ(train(network, "Nehalem"), 0);
  EXPECT_EQ(log().find("BLAS kernels"), std::string::npos) << log();
  setenv("OMP_NUM_THREADS", "2", 1);
  ASSERT_EQ(train(network, "Prescott", "other"), 0);
  unsetenv("OMP_NUM_THREADS");
  EXPECT_TRUE(content(directory / "fit" / "model.h5") == content(directory / "other" / "model.h5"));
}

using SlowFiles = Interruption;

TEST_P(SlowFiles, AreComplainedOf) {
  setenv("LD_PRELOAD", KERNMILL_SLOW_READ, 1);
  const pid_t process = start(1, train_spec("fit"));
  unsetenv("LD_PRELOAD");
  ASSERT_EQ(wait(process), 0);
  EXPECT_NE(content(directory / "fit" / "log").find("warning: training waited for data"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(AllAtOnce, SlowFiles, ::testing::Values("lbfgs"));
INSTANTIATE_TEST_SUITE_P(AllAtOnce, OtherBlas, ::testing::Values("softmax"));
INSTANTIATE_TEST_SUITE_P(Methods, Interruption, ::testing::Values("adam", "lbfgs", "kmeans"));

}  // namespace
