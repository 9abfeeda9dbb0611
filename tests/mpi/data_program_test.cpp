#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/wait.h>

#include "preprocess_settings.hpp"
#include "temporary_directory.hpp"

/// kernmill-task as the orchestrator sees it: arguments, files, exit status. The full disk and the read-only
/// directory are real, in an unprivileged mount namespace; where that is not allowed the test is skipped and
/// says so (storage_faults_test.cpp injects the same errors everywhere).
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using ::testing::HasSubstr;

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class TaskProgram : public ::testing::Test {
 protected:
  const kernmill::testing::TemporaryDirectory own;
  const fs::path directory = own.path(), output = directory / "output";

  void SetUp() override {
    setenv("HYDRA_LAUNCHER", "fork", 1);
    setenv("MPIR_CVAR_ENABLE_HEAVY_YIELD", "1", 1);
    fs::create_directory(output);
  }
  /// The exit status; what it printed is in `printed`.
  int shell(const std::string& command) {
    const fs::path log = directory / "log";
    const int status = std::system(("(" + command + ") > " + log.string() + " 2>&1").c_str());
    printed = content(log);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string printed;

  fs::path spec_for(const fs::path& input) const {
    const ordered_json spec = {{"schema_version", 1},
                               {"kind", "preprocess"},
                               {"config", kernmill::testing::preprocess_settings(
                                              {{"target", {{"column", "digit"}, {"type", "auto"}}}})},
                               {"inputs", {{"input", input}}},
                               {"output_directory", output}};
    std::ofstream(directory / "spec.json") << spec.dump();
    return directory / "spec.json";
  }
  static std::string task(const fs::path& spec, int ranks = 2) {
    return std::string(KERNMILL_MPIEXEC) + " -n " + std::to_string(ranks) + " " + KERNMILL_TASK +
           " preprocess --spec " + spec.string();
  }
  std::string digits() const { return std::string(KERNMILL_TEST_DATA) + "/digits.csv"; }

  /// Runs the task in a namespace where `mount` has been done, and lists what is in the output directory
  /// then. False where such namespaces are not allowed.
  bool run_with_mount(const std::string& mount) {
    if (shell("unshare -rm sh -c '" + mount + "'") != 0) return false;
    shell("unshare -rm sh -c '" + mount + " && " + task(spec_for(digits())) +
          "; echo status $?; echo left: $(ls -A " + output.string() + ")'");
    return true;
  }
};

/// The most memory that any program which has ended needed, in MB.
long peak_of_children() {
  rusage used{};
  getrusage(RUSAGE_CHILDREN, &used);
  return used.ru_maxrss / 1024;
}

TEST_F(TaskProgram, NeedsNoMoreMemoryForALargerInput) {
  const auto write = [&](const fs::path& file, int rows) {
    std::ofstream out(file);
    out << "a,b,c,d,e,f,g,h,digit\n";
    for (int i = 0; i < rows; ++i)
      out << i << ".25," << i % 7 << ",1234.5,0.125," << i % 13 << ",2,3,4," << i % 10 << '\n';
  };
  write(directory / "small.csv", 1000);
  write(directory / "large.csv", 1'000'000);  // 72 MB of numbers
  const auto preprocess = [&](const char* input) {
    auto spec = ordered_json::parse(content(spec_for(directory / input)));
    spec["config"]["buffer"] = 4 << 20;
    spec["config"]["scale"] = "standard";
    std::ofstream(directory / "spec.json") << spec.dump();
    EXPECT_EQ(shell(task(directory / "spec.json", 1)), 0) << printed;
    return peak_of_children();
  };
  const long small = preprocess("small.csv"), large = preprocess("large.csv");
  EXPECT_LT(large, small + 40) << "MB";
}

TEST_F(TaskProgram, LeavesItsArtifactAndItsResult) {
  ASSERT_EQ(shell(task(spec_for(digits()))), 0) << printed;
  const auto result = ordered_json::parse(content(output / "result.json"));
  EXPECT_EQ(result["metrics"]["rows"], 1797);
  EXPECT_EQ(result["metrics"]["classes"], 10);
  EXPECT_EQ(result["artifacts"]["dataset"], "dataset.h5");
  EXPECT_EQ(result["ranks"], 2);
  EXPECT_TRUE(fs::exists(output / "dataset.h5"));
}

TEST_F(TaskProgram, TellsAUsersMistakeInErrorJson) {
  const fs::path input = directory / "bad.csv";
  std::ofstream(input) << "x,digit\n1,a\nfour,b\n";
  ASSERT_EQ(shell(task(spec_for(input), 3)), 1) << printed;
  const auto error = ordered_json::parse(content(output / "error.json"));
  EXPECT_EQ(error["message"], "'four' in column 'x' is not a number");
  EXPECT_EQ(error["where"], input.string() + ":3:1");
  EXPECT_NE(error["help"], "");
  EXPECT_THAT(printed, HasSubstr("'four' in column 'x'"));
  EXPECT_FALSE(fs::exists(output / "result.json"));
  EXPECT_FALSE(fs::exists(output / "dataset.h5"));
}

TEST_F(TaskProgram, SaysWithExitStatus2ThatItWasCalledWrongly) {
  EXPECT_EQ(shell(std::string(KERNMILL_TASK) + " knit --spec x"), 2);
  EXPECT_EQ(shell(std::string(KERNMILL_TASK)), 2);
  EXPECT_EQ(shell(task(directory / "absent.json")), 2);
  EXPECT_THAT(printed, HasSubstr("cannot read the spec file"));
  std::ofstream(directory / "spec.json") << R"({"schema_version":1,"kind":"preprocess","config":{},)"
                                         << R"("inputs":{"input":"x"},"output_directory":"/tmp"})";
  EXPECT_EQ(shell(task(directory / "spec.json")), 2);
  EXPECT_THAT(printed, HasSubstr("the setting 'buffer' is missing"));
}

TEST_F(TaskProgram, ReportsAFullDiskAndLeavesNothing) {
  if (!run_with_mount("mount -t tmpfs -o size=96k tmpfs " + output.string()))
    GTEST_SKIP() << "mount namespaces are not allowed here: " << printed;
  EXPECT_THAT(printed, HasSubstr("dataset.h5"));
  EXPECT_THAT(printed, HasSubstr("No space left on device"));
  EXPECT_THAT(printed, HasSubstr("status 1"));
  EXPECT_THAT(printed, HasSubstr("left: error.json\n"));
}

TEST_F(TaskProgram, ReportsADiskThatCannotTakeEvenTheStructure) {
  if (!run_with_mount("mount -t tmpfs -o size=4k tmpfs " + output.string()))
    GTEST_SKIP() << "mount namespaces are not allowed here: " << printed;
  EXPECT_THAT(printed, HasSubstr("No space left on device"));
  EXPECT_THAT(printed, HasSubstr("status 1"));
  EXPECT_THAT(printed, ::testing::Not(HasSubstr("left: dataset.h5")));
}

TEST_F(TaskProgram, ReportsAReadOnlyDirectory) {
  if (!run_with_mount("mount --bind " + output.string() + " " + output.string() +
                      " && mount -o remount,bind,ro " + output.string()))
    GTEST_SKIP() << "mount namespaces are not allowed here: " << printed;
  EXPECT_THAT(printed, HasSubstr("dataset.h5"));
  EXPECT_THAT(printed, HasSubstr("Read-only file system"));
  EXPECT_THAT(printed, HasSubstr("status 1"));
  EXPECT_THAT(printed, HasSubstr("left:\n"));
}

TEST_F(TaskProgram, LeavesNoDatasetWhenARankIsKilledInMidWrite) {
  setenv("KERNMILL_TEST_DIRECTORY", output.c_str(), 1);
  EXPECT_NE(shell(std::string(KERNMILL_MPIEXEC) + " -n 2 " + KERNMILL_TEST_STORAGE +
                  " --gtest_also_run_disabled_tests --gtest_filter=KilledWriter.*"),
            0);
  EXPECT_FALSE(fs::exists(output / "dataset.h5"));
  const fs::directory_iterator left(output);
  const bool in_mid_write = std::any_of(begin(left), end(left), [](const auto& entry) {
    const std::string name = entry.path().filename();
    return name.starts_with(".dataset.h5.") && name.ends_with(".partial");
  });
  EXPECT_TRUE(in_mid_write) << "it was not killed in mid-write:\n" << printed;
}

}  // namespace
