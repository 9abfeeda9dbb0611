// Each hostile file, through the tools and through the tasks: it is refused, or it is read; nothing crashes,
// no other file is read, and neither time nor memory goes beyond what the file is worth.
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <mpi.h>
#include <nlohmann/json.hpp>

#include "hostile_files.hpp"
#include "kernmill/storage/checkpoint/checkpoint.hpp"
#include "preprocess_settings.hpp"
#include "temporary_directory.hpp"
#include "watched_program.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* secret_text = "nobody-may-read-this";
#ifdef __SANITIZE_ADDRESS__
constexpr std::chrono::seconds patience{100};
#else
constexpr std::chrono::seconds patience{10};
#endif

class Hostile : public ::testing::Test {
 protected:
  Hostile() {
    std::ofstream(secret()) << secret_text << std::string(200, 'q');
    write_sound_model(path() / "model.h5");
    write_sound_dataset(path() / "dataset.h5");
    std::ofstream(path() / "flowers.csv") << "length,width\n1,2\n3,4\n";
    std::ofstream(path() / "flowers.svm") << "0 1:1 2:2\n1 1:3 2:4\n";
    fs::create_directory(path() / "out");
    fs::create_directory(path() / "files");
  }
  [[nodiscard]] const fs::path& path() const { return folder_.path(); }
  [[nodiscard]] fs::path files() const { return path() / "files"; }
  [[nodiscard]] fs::path secret() const { return path() / "secret"; }

  /// Whatever reads the file, reads it like this.
  void expect_harmless(const HostileFile& hostile, const std::vector<std::string>& argv,
                       std::uint64_t memory) {
    std::error_code none;
    const std::uint64_t size = fs::is_regular_file(hostile.file, none) ? fs::file_size(hostile.file) : 0;
    const Watched end = watch(argv, path() / "out", patience);
    const std::string what =
        fmt::format("{} by {} {} {}:\n{}", hostile.file.filename().string(),
                    fs::path(argv[0]).filename().string(), argv[1], argv[2], end.said.substr(0, 1000));
    EXPECT_TRUE(end.in_time) << what;
    EXPECT_EQ(end.signal, 0) << what;
    EXPECT_THAT(end.said, Not(HasSubstr("crashed"))) << what;
    EXPECT_THAT(end.said, Not(HasSubstr(secret_text))) << what;
#ifndef __SANITIZE_ADDRESS__  // which has a memory of its own
    EXPECT_LE(end.most_memory, 2 * size + memory) << what;
#endif
    EXPECT_THAT(end.said, Not(HasSubstr("Sanitizer"))) << what;
    EXPECT_THAT(end.said, Not(HasSubstr("runtime error"))) << what;
    if (hostile.told.empty()) {
      EXPECT_LE(end.exit_code, 1) << what;
      return;
    }
    EXPECT_EQ(end.exit_code, 1) << what;
    EXPECT_THAT(end.said, HasSubstr(hostile.told)) << what;
  }
  void through_tool(const HostileFile& hostile, const std::string& noun,
                    const std::vector<std::string>& verbs, const std::vector<std::string>& options = {}) {
    constexpr std::uint64_t memory = std::uint64_t{300} << 20;
    for (const std::string& verb : verbs) {
      std::vector<std::string> argv{KERNMILL_STORAGE, noun, verb, hostile.file};
      argv.insert(argv.end(), options.begin(), options.end());
      if (verb == "export") argv.insert(argv.end(), {"--output", path() / "out" / "x.csv"});
      expect_harmless(hostile, argv, memory);
      argv.emplace_back("--json");
      if (verb == "info") expect_harmless(hostile, argv, memory);
    }
  }
  void through_task(const HostileFile& hostile, const std::string& kind, const Json& config,
                    const Json& inputs, const fs::path& checkpoints = {}) {
    constexpr std::uint64_t memory = std::uint64_t{700} << 20;
    fs::remove(path() / "out" / "error.json");
    const Json spec = {{"schema_version", 1},
                       {"kind", kind},
                       {"config", config},
                       {"inputs", inputs},
                       {"output_directory", path() / "out"},
                       {"checkpoint_directory", checkpoints}};
    std::ofstream(path() / "spec.json") << spec;
    expect_harmless(hostile, {KERNMILL_TASK, kind, "--spec", path() / "spec.json"}, memory);
    for (const auto& entry : fs::directory_iterator(path() / "out"))
      EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("partial"))) << hostile.file;
  }
  [[nodiscard]] static Json softmax() {
    return {{"model", {{"type", "softmax"}, {"l2", 1.0}, {"regularize_bias", false}}},
            {"optimizer", {{"type", "lbfgs"}, {"max_iterations", 5}, {"tolerance", 1e-10}, {"history", 10}}},
            {"seed", 0},
            {"checkpoint", {{"every", 10}, {"keep", 2}}}};
  }
  static std::string content(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] static Json descent(const std::string& type) {
    if (type == "gradient_descent")
      return {{"type", "gradient_descent"}, {"learning_rate", 0.01}, {"steps", 5}};
    return {{"type", "adam"},  {"learning_rate", 0.01}, {"beta1", 0.9},   {"beta2", 0.999},
            {"epsilon", 1e-8}, {"epochs", 3},           {"batch_size", 4}};
  }
  [[nodiscard]] static Json deployment() {
    const Json all = preprocess_settings(Json::object());
    Json config = {{"probabilities", false}};
    for (const char* name : {"format", "delimiter", "decimal", "header", "datasets", "external_files",
                             "max_expansion", "missing", "on_bad_row", "buffer"})
      config[name] = all[name];
    return config;
  }

 private:
  TemporaryDirectory folder_;
};

TEST_F(Hostile, ModelsThroughTheTool) {
  for (const HostileFile& file : hostile_models(files(), secret()))
    through_tool(file, "model", {"info", "verify"});
}

TEST_F(Hostile, SealedModelsThroughTheTool) {
  const fs::path key = path() / "key";
  std::ofstream(key) << std::string(32, 'k');
  fs::permissions(key, fs::perms::owner_read);
  for (const HostileFile& file : hostile_sealed_models(files(), secret()))
    through_tool(file, "model", {"info", "verify"}, {"--key-file", key});
}

TEST_F(Hostile, ModelsThroughTasks) {
  for (const HostileFile& file : hostile_models(files(), secret())) {
    through_task(file, "evaluate", {{"split", "test"}, {"buffer", 1U << 29U}},
                 {{"model", file.file}, {"data", path() / "dataset.h5"}});
    through_task(file, "deploy", deployment(), {{"model", file.file}, {"input", path() / "flowers.csv"}});
    if (file.file.filename() == "model_vast_index.h5")
      through_task(file, "deploy", deployment(), {{"model", file.file}, {"input", path() / "flowers.svm"}});
  }
}

TEST_F(Hostile, DatasetsThroughTheTool) {
  for (const HostileFile& file : hostile_datasets(files(), secret()))
    through_tool(file, "data", {"info", "head", "verify", "export"});
}

TEST_F(Hostile, TypedDatasetsThroughTheToolAndTasks) {
  for (const HostileFile& file : hostile_typed_datasets(files())) {
    through_tool({file.file, ""}, "data", {"info"});
    through_tool(file, "data", {"head", "verify", "export"});
    through_task({file.file, ""}, "train", softmax(), {{"data", file.file}});
  }
}

TEST_F(Hostile, DatasetsThroughTasks) {
  for (const HostileFile& file : hostile_datasets(files(), secret())) {
    through_task(file, "train", softmax(), {{"data", file.file}});
    through_task(file, "evaluate", {{"split", "test"}, {"buffer", 1U << 29U}},
                 {{"model", path() / "model.h5"}, {"data", file.file}});
  }
}

TEST_F(Hostile, CheckpointsThroughTheToolAndTrain) {
  fs::create_directory(path() / "checkpoints");
  for (const HostileFile& file : hostile_checkpoints(files())) {
    through_tool(file, "model", {"info", "verify"});
    fs::copy_file(file.file, path() / "checkpoints" / "step-7.h5", fs::copy_options::overwrite_existing);
    through_task({file.file, ""}, "train", softmax(), {{"data", path() / "dataset.h5"}},
                 path() / "checkpoints");
    fs::remove(path() / "checkpoints" / "step-7.h5");
  }
}

// The identity of a checkpoint is no secret: whoever may write into its folder can copy it.
TEST_F(Hostile, ACheckpointOfAnotherShapeIsNotTakenUp) {
  for (const char* optimizer : {"lbfgs", "gradient_descent", "adam"}) {
    const fs::path checkpoints = path() / optimizer;
    Json config = softmax();
    config["checkpoint"]["every"] = 1;
    if (optimizer != std::string("lbfgs")) config["optimizer"] = descent(optimizer);
    through_task({"a sound training", ""}, "train", config, {{"data", path() / "dataset.h5"}}, checkpoints);
    auto loaded = storage::load_newest_checkpoint(MPI_COMM_SELF, checkpoints);
    ASSERT_TRUE(loaded.found) << optimizer << ": " << content(path() / "out" / "said");
    storage::Checkpoint& forged = loaded.checkpoint;
    for (storage::Tensor& tensor : forged.tensors) tensor = {tensor.name, {1}, {0.5}};
    fs::remove_all(checkpoints);
    storage::write_checkpoint(MPI_COMM_SELF, checkpoints, forged);
    through_task({checkpoints, "Remove the checkpoint"}, "train", config, {{"data", path() / "dataset.h5"}},
                 checkpoints);
  }
}

TEST_F(Hostile, InputThatTheUserTrustsMayLieInOtherFilesButNotInPipes) {
  for (const HostileFile& file : hostile_inputs(files(), secret())) {
    const std::string name = file.file.stem();
    const bool elsewhere = name == "input_external" || name == "input_virtual" ||
                           name == "input_external_link" || name == "input_soft_link_that_leaves";
    const bool special = name == "input_external_pipe" || name == "input_virtual_pipe" ||
                         name == "input_link_to_a_pipe" || name == "input_link_to_a_device";
    if (file.file.extension() != ".h5" || (!elsewhere && !special)) continue;
    const Json config = preprocess_settings({{"external_files", true}, {"datasets", {"t"}}});
    through_task({file.file, special ? "which is not a regular file" : ""}, "preprocess", config,
                 {{"input", file.file}});
    EXPECT_EQ(fs::exists(path() / "out" / "dataset.h5"), elsewhere) << name;
    fs::remove(path() / "out" / "dataset.h5");
  }
}

TEST_F(Hostile, WhatExpandsBeyondMeasureIsReadWhereTheStageSaysSo) {
  for (const HostileFile& file : hostile_inputs(files(), secret())) {
    if (file.file.filename() != "input_bomb_of_rows.csv.gz") continue;
    through_task({file.file, ""}, "preprocess", preprocess_settings({{"max_expansion", 2000}}),
                 {{"input", file.file}});
    EXPECT_TRUE(fs::exists(path() / "out" / "dataset.h5"));
  }
}

TEST_F(Hostile, InputThroughTasks) {
  for (const HostileFile& file : hostile_inputs(files(), secret())) {
    const std::string name = file.file.filename();
    const char* column = name.find(".h5") != std::string::npos    ? "sound[0]"
                         : name.find(".svm") != std::string::npos ? "label"
                         : name.find(".csv") != std::string::npos ? "a"
                                                                  : "c0";
    const Json config = preprocess_settings({{"target", {{"column", column}, {"type", "auto"}}}});
    through_task(file, "preprocess", config, {{"input", file.file}});
    through_task(file, "deploy", deployment(), {{"model", path() / "model.h5"}, {"input", file.file}});
  }
}

}  // namespace
}  // namespace kernmill::testing
