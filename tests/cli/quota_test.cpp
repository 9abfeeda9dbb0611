// A quota that is used up: the programs are told so when they write a file of a run, each in its turn.
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "program.hpp"
#include "temporary_directory.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::HasSubstr;

/// The parameter: what the paths of files hold that cannot be written.
class Quota : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    fs::copy_file(DATA "/iris.csv", place_.path() / "iris.csv");
    std::ofstream(flag()) << "";
    // kernmill-exec is started with an environment of its own, and starts tasks with one of theirs.
    std::ofstream script(exec());
    std::ofstream flow(place_.path() / "flow.yaml");
    script << "#!/bin/sh\n";
    flow << "name: quota\ndefaults:\n  env:\n";
    for (const auto& [name, value] : preloaded()) {
      script << fmt::format("export {}='{}'\n", name, value);
      flow << fmt::format("    {}: '{}'\n", name, value);
    }
    script << "exec '" KERNMILL_EXEC "' \"$@\"\n";
    flow << "stages:\n"
            "  prepare: {task: preprocess, input: iris.csv, target: species, split: {test: 0.2, seed: 7}}\n"
            "  fit: {task: train, data: prepare, model: {type: linear_svm, C: 1.0}}\n";
    script.close();
    fs::permissions(exec(), fs::perms::owner_all);
  }
  [[nodiscard]] Finished kernmill(std::vector<std::string> words) const {
    words.insert(words.begin(), KERNMILL);
    auto environment = preloaded();
    environment.insert(environment.end(), {{"KERNMILL_RUNS", (place_.path() / "runs").string()},
                                           {"KERNMILL_EXEC", exec().string()},
                                           {"HYDRA_LAUNCHER", "fork"},
                                           {"MPIR_CVAR_ENABLE_HEAVY_YIELD", "1"}});
    return run_program({std::move(words), place_.path(), std::move(environment)});
  }
  [[nodiscard]] fs::path flag() const { return place_.path() / "used-up"; }

 private:
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> preloaded() const {
    return {{"LD_PRELOAD", USED_UP_QUOTA}, {"QUOTA_PART", GetParam()}, {"QUOTA_FLAG", flag().string()}};
  }
  [[nodiscard]] fs::path exec() const { return place_.path() / "exec.sh"; }
  TemporaryDirectory place_;
};

TEST_P(Quota, ThatIsUsedUpIsNamedAndAResumeFinishes) {
  const Finished run = kernmill({"run", "flow.yaml"});
  EXPECT_THAT(run.exit_code, AnyOf(1, 3)) << run.err;
  EXPECT_THAT(run.err + kernmill({"explain", "last"}).out, HasSubstr("Disk quota exceeded"));
  fs::remove(flag());
  const Finished again = kernmill({"resume", "last"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(kernmill({"status"}).out, HasSubstr("done"));
}

INSTANTIATE_TEST_SUITE_P(Of, Quota,
                         ::testing::Values("conductor.jsonl", "exec.jsonl", "spec.json", "dataset.h5",
                                           "model.h5", "/stages/prepare/", "/stages/fit/", "result.json"));

}  // namespace
}  // namespace kernmill::testing
