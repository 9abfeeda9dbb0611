// Example workflows with Kernmill's own tasks, as a user runs them on one machine.
#include <gtest/gtest.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "program.hpp"
#include "temporary_directory.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;

class Example : public ::testing::Test {
 protected:
  Example() { fs::copy(DATA, folder_.path() / "data"); }
  /// Runs an example to its end. Returns what its journal holds.
  RunRecord run(const std::string& name, const std::vector<std::string>& options = {}) {
    const std::string file = name + ".yaml";
    fs::copy(fs::path(EXAMPLES) / file, folder_.path() / file);
    std::vector<std::string> words{KERNMILL, "run", file, "--quiet"};
    words.insert(words.end(), options.begin(), options.end());
    const Finished finished = run_program({words,
                                           folder_.path(),
                                           {{"KERNMILL_RUNS", ""},
                                            {"KERNMILL_EXEC", KERNMILL_EXEC},
                                            {"KERNMILL_TASK", KERNMILL_TASK},
                                            {"OPENBLAS_NUM_THREADS", "1"}}});
    EXPECT_EQ(finished.exit_code, 0) << name << ": " << finished.out << finished.err;
    return fold_journal(select_run(folder_.path() / "runs", "last").journal());
  }
  static double metric(const RunRecord& record, const std::string& stage, const char* name,
                       unsigned index = 0) {
    return record.find(stage, index)->metrics.at(name);
  }
  [[nodiscard]] std::string said(const std::string& stage) const {
    const fs::path run = select_run(folder_.path() / "runs", "last").root();
    return read_file(run / "stages" / stage / "0" / "attempt-1" / "out.log");
  }

 private:
  TemporaryDirectory folder_;
};

TEST_F(Example, DigitsLayoutsHaveOneModel) {
  const RunRecord record = run("digits_layouts");
  EXPECT_EQ(said("compare"), "one model in four layouts\n");
  EXPECT_GT(metric(record, "hybrid", "train_accuracy"), 0.9);
}

TEST_F(Example, IrisFoldsAreJudgedFiveTimes) {
  const RunRecord record = run("iris_folds");
  double right = 0;
  for (unsigned fold = 0; fold < 5; ++fold) right += metric(record, "score", "correct", fold);
  EXPECT_GT(right, 140);
}

// An epoch over the ten thousand pictures that are the test's; guessing is right in a tenth.
TEST_F(Example, FashionMnistIsLearntFromItsFiles) {
  if (!fs::exists("/usr/share/datasets/fashion-mnist"))
    GTEST_SKIP() << "the package dataset-fashion-mnist is not installed";
  const RunRecord record = run("fashion_mnist", {"--set", "train=t10k", "--set", "epochs=1"});
  EXPECT_EQ(metric(record, "prepare", "train_rows"), 9000);
  EXPECT_EQ(metric(record, "score", "rows"), 10'000);
  EXPECT_GT(metric(record, "score", "accuracy"), 0.75);
}

}  // namespace
}  // namespace kernmill::testing
