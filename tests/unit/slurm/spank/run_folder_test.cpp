#include "kernmill/slurm/spank/run_folder.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "temporary_directory.hpp"

namespace kernmill::spank {
namespace {

namespace fs = std::filesystem;
using kernmill::testing::TemporaryDirectory;

TEST(SpankRunFolder, IsAPathOrTheNameOfARun) {
  const TemporaryDirectory directory;
  const fs::path run = directory.path() / "runs" / "iris-1";
  fs::create_directories(run / "journal");
  fs::create_directories(directory.path() / "runs" / "no-run");
  EXPECT_EQ(find_run("iris-1", directory.path()), run);
  EXPECT_EQ(find_run("runs/iris-1", directory.path()), run);
  EXPECT_EQ(find_run(run, "/"), run);
  EXPECT_EQ(find_run("iris-1", "/", directory.path() / "runs"), run);
  EXPECT_EQ(find_run("no-run", directory.path()), "");
  EXPECT_EQ(find_run("", directory.path()), "");
}

}  // namespace
}  // namespace kernmill::spank
