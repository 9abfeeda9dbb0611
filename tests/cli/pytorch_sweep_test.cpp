// The PyTorch sweep as a user runs it, where there is a python3 with torch: KERNMILL_TEST_PYTHON names
// another.
#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "program.hpp"
#include "temporary_directory.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;

std::string python_with_torch() {
  const char* const named = std::getenv("KERNMILL_TEST_PYTHON");
  std::string python = named == nullptr ? "python3" : named;
  const bool has_torch =
      run_program({{"/usr/bin/env", python, "-c", "import torch"}, "/", {}}).exit_code == 0;
  return has_torch ? python : "";
}

class PyTorchSweep : public ::testing::Test {
 protected:
  void SetUp() override {
    python_ = python_with_torch();
    if (python_.empty())
      GTEST_SKIP() << "this python3 has no torch; KERNMILL_TEST_PYTHON may name one that has";
    for (const char* name : {"programs", "data", "pytorch_sweep.yaml"})
      fs::copy(fs::path(EXAMPLES) / name, folder_.path() / name, fs::copy_options::recursive);
  }
  Finished kernmill(std::vector<std::string> words) {
    words.insert(words.begin(), KERNMILL);
    return run_program({words, folder_.path(), {{"KERNMILL_RUNS", ""}, {"KERNMILL_EXEC", KERNMILL_EXEC}}});
  }
  RunRecord record() { return fold_journal(select_run(folder_.path() / "runs", "last").journal()); }

  TemporaryDirectory folder_;
  std::string python_;
};

// The python of one point fails for as long as the file `broken` is there.
TEST_F(PyTorchSweep, RunsFailedPointsAgainAloneAndHasOneTable) {
  const fs::path python = folder_.path() / "python", broken = folder_.path() / "broken";
  std::ofstream(broken) << "";
  std::ofstream(python) << "#!/bin/sh\nif test -e '" << broken.string()
                        << "'; then case \"$*\" in *--lr\\ 0.3\\ *) exit 3;; esac; fi\nexec " << python_
                        << " \"$@\"\n";
  fs::permissions(python, fs::perms::owner_all);
  const Finished first = kernmill(
      {"run", "pytorch_sweep.yaml", "--quiet", "--set", "epochs=3", "--set", "python=" + python.string()});
  EXPECT_EQ(first.exit_code, 1) << first.err;
  EXPECT_TRUE(record().find("train", 0)->committed);
  EXPECT_FALSE(record().find("train", 2)->committed);
  fs::remove(broken);
  const Finished second = kernmill({"resume", "last", "--quiet"});
  EXPECT_EQ(second.exit_code, 0) << second.err;
  const RunRecord whole = record();
  EXPECT_EQ(whole.find("train", 0)->attempts.size(), 1U);
  EXPECT_EQ(whole.find("train", 2)->attempts.size(), 2U);
  EXPECT_EQ(whole.find("train", 2)->metrics.at("ranks"), 2);
  EXPECT_GT(whole.find("train", 2)->metrics.at("accuracy").get<double>(), 0.85);
  EXPECT_EQ(whole.find("table", 0)->metrics.at("points"), 3);
}

}  // namespace
}  // namespace kernmill::testing
