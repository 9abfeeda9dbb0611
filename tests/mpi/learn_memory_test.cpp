#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preprocess_settings.hpp"
#include "temporary_directory.hpp"

/// The programs on a dataset of four times the memory that their rows may take.
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;
constexpr std::uint64_t cache = 8 * mebibyte;  // of each of two ranks
constexpr std::uint64_t slack = 12 * mebibyte;
constexpr int columns = 101;  // the last one is the target
constexpr int few_rows = 1'000, many_rows = 84'000;
static_assert(std::uint64_t{many_rows} * columns * sizeof(double) > 4 * 2 * cache);

class Memory : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("HYDRA_LAUNCHER", "fork", 1);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    for (const int rows : {few_rows, many_rows}) prepare(rows);
  }

  /// An array of float64 with a row a sample.
  static void write_array(const fs::path& file, int rows) {
    std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': (" + std::to_string(rows) + ", " +
                         std::to_string(columns) + "), }";
    header.resize(117, ' ');
    header += '\n';
    std::ofstream out(file, std::ios::binary);
    out.write("\x93NUMPY\x01\x00\x76\x00", 10);
    out << header;
    std::vector<double> row(columns);
    std::uint32_t state = 1;
    for (int i = 0; i < rows; ++i) {
      double sum = 0;
      for (double& value : row) {
        state = state * 1664525U + 1013904223U;
        sum += value = static_cast<double>(state) / 4294967296.0 - 0.5;
      }
      row.back() = sum > 0 ? 1 : 0;
      out.write(reinterpret_cast<const char*>(row.data()),
                static_cast<std::streamsize>(row.size() * sizeof(double)));
    }
  }

  void prepare(int rows) {
    const fs::path file = directory / (std::to_string(rows) + ".npy");
    write_array(file, rows);
    const Json config = kernmill::testing::preprocess_settings(
        {{"format", "npy"},
         {"target", {{"column", "c" + std::to_string(columns - 1)}, {"type", "class"}}},
         {"split", {{"type", "every"}, {"every", 5}, {"offset", 4}}}});
    (void)run("preprocess", config, {{"input", file}}, "data-" + std::to_string(rows));
  }
  [[nodiscard]] fs::path data(int rows) const {
    return directory / ("data-" + std::to_string(rows)) / "dataset.h5";
  }

  /// The most memory that one of two ranks had.
  std::uint64_t run(const std::string& kind, const Json& config, const Json& inputs,
                    const std::string& stage) {
    fs::create_directories(directory / stage);
    const fs::path spec = directory / stage / "spec.json";
    std::ofstream(spec) << Json{{"schema_version", 1}, {"kind", kind},
                                {"stage", stage},      {"config", config},
                                {"inputs", inputs},    {"output_directory", directory / stage}};
    const std::string log = (directory / stage / "log").string();
    std::vector<std::string> words{KERNMILL_MPIEXEC, "-n", "2", KERNMILL_TASK, kind, "--spec", spec.string()};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    pid_t process = -1;
    EXPECT_EQ(posix_spawn(&process, words[0].c_str(), &actions, nullptr, arguments.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    rusage used{};
    EXPECT_EQ(wait4(process, &status, 0, &used), process);
    std::ifstream said(log);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
        << std::string(std::istreambuf_iterator<char>(said), {});
    return static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
  }

  /// What a task needs for many rows beyond what it needs for few.
  void expect_within_the_cache(const std::string& kind, const Json& config, const std::string& stage,
                               Json inputs = Json::object(), const std::string& input = "data") {
    const auto of = [&](int rows) {
      return input == "data" ? data(rows) : directory / (std::to_string(rows) + ".npy");
    };
    inputs[input] = of(few_rows);
    const std::uint64_t few = run(kind, config, inputs, stage + "-few");
    inputs[input] = of(many_rows);
    const std::uint64_t many = run(kind, config, inputs, stage);
    EXPECT_LT(many, few + cache + slack) << stage << ": " << few / mebibyte << " MiB for few rows";
  }

  const kernmill::testing::TemporaryDirectory own;
  const fs::path directory = own.path();
};

Json train_with(const Json& model, const Json& optimizer) {
  return {{"model", model}, {"optimizer", optimizer}, {"seed", 0}, {"cache", cache}};
}

TEST_F(Memory, HoldsNoMoreRowsThanItMay) {
  const Json softmax = {{"type", "softmax"}, {"l2", 1.0}, {"regularize_bias", false}};
  const Json mlp = {{"type", "mlp"}, {"hidden", {4}}, {"activation", "relu"}, {"l2", 1e-4}};
  const Json lbfgs = {{"type", "lbfgs"}, {"max_iterations", 3}, {"tolerance", 1e-10}, {"history", 10}};
  const Json adam = {{"type", "adam"},  {"learning_rate", 1e-3}, {"beta1", 0.9},    {"beta2", 0.999},
                     {"epsilon", 1e-8}, {"epochs", 1},           {"batch_size", 64}};
  expect_within_the_cache("train", train_with(mlp, adam), "batches");
  expect_within_the_cache("train", train_with(softmax, lbfgs), "whole");
  const fs::path model = directory / "whole" / "model.h5";
  expect_within_the_cache("evaluate", {{"split", "all"}, {"buffer", cache}}, "score", {{"model", model}});
  Json reading = kernmill::testing::preprocess_settings({{"format", "npy"}, {"buffer", cache}});
  reading["probabilities"] = false;
  expect_within_the_cache("deploy", reading, "ship", {{"model", model}}, "input");
}

}  // namespace
