#include "kernmill/os/durable_file.hpp"

#include <fstream>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/os/replace_file.hpp"
#include "temporary_directory.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::TemporaryDirectory;

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

std::ptrdiff_t files_in(const fs::path& directory) {
  return std::distance(fs::directory_iterator(directory), fs::directory_iterator{});
}

TEST(WriteFileDurably, ReplacesTheWholeFileAndLeavesNothingBesideIt) {
  const TemporaryDirectory root;
  const fs::path file = root.path() / "plan.json";
  write_file_durably(file, "a longer first content");
  write_file_durably(file, "second");
  EXPECT_EQ(read_file(file), "second");
  EXPECT_EQ(files_in(root.path()), 1);
}

TEST(WriteFileDurably, LeavesNothingWhenItFails) {
  const TemporaryDirectory root;
  const fs::path taken = root.path() / "plan.json";
  fs::create_directory(taken);
  EXPECT_THAT(error_of([&] { write_file_durably(taken, "x"); }), HasSubstr(taken.string()));
  EXPECT_EQ(files_in(root.path()), 1);
  EXPECT_THAT(error_of([&] { read_file(root.path() / "absent"); }), HasSubstr("absent"));
}

TEST(ReplaceFile, MakesMissingDirectoriesAndLeavesNothingBesideIt) {
  const TemporaryDirectory root;
  const fs::path file = root.path() / "digests" / "ab" / "one.json";
  replace_file(file, "first");
  replace_file(file, "second");
  EXPECT_EQ(read_file(file), "second");
  EXPECT_EQ(files_in(file.parent_path()), 1);
}

}  // namespace
}  // namespace kernmill
