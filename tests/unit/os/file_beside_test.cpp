#include "kernmill/os/file_beside.hpp"

#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/replace_file.hpp"
#include "other_user.hpp"
#include "temporary_directory.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryDirectory;
using testing::Umask;

unsigned mode_of(const fs::path& path) {
  struct stat status {};
  ::lstat(path.c_str(), &status);
  return status.st_mode & 07777;
}

std::string only_name_in(const fs::path& folder) {
  return fs::directory_iterator(folder)->path().filename().string();
}

TEST(FileBeside, HasANameThatNobodyCanGuess) {
  const TemporaryDirectory folder;
  std::set<std::string> names;
  for (int i = 0; i < 3; ++i) {
    const FileBeside file(folder.path() / "x.csv", 0600);
    names.insert(only_name_in(folder.path()));
  }
  EXPECT_EQ(names.size(), 3U);
  EXPECT_TRUE(fs::is_empty(folder.path())) << "it goes with the object";
}

TEST(FileBeside, HasItsPermissionsWhateverTheUmask) {
  const TemporaryDirectory folder;
  for (const mode_t mask : {0000U, 0077U}) {
    const Umask given(mask);
    FileBeside file(folder.path() / "x", 0640);
    file.take_place();
    EXPECT_EQ(mode_of(folder.path() / "x"), 0640U);
  }
}

TEST(FileBeside, TakesThePlaceOfALinkAndNotOfWhatItPointsAt) {
  const TemporaryDirectory folder;
  std::ofstream(folder.path() / "private") << "untouched";
  fs::create_symlink(folder.path() / "private", folder.path() / "x");
  write_file_durably(folder.path() / "x", "new");
  EXPECT_EQ(read_file(folder.path() / "private"), "untouched");
  EXPECT_FALSE(fs::is_symlink(folder.path() / "x"));
  replace_file(folder.path() / "x", "newer");
  EXPECT_EQ(read_file(folder.path() / "x"), "newer");
}

TEST(FileBeside, WhatAKilledProcessLeftIsRemovedOnceItIsOldAndNothingElse) {
  const TemporaryDirectory folder;
  const auto make = [&](const std::string& name, int hours) {
    fs::create_directories((folder.path() / name).parent_path());
    std::ofstream(folder.path() / name) << "x";
    fs::last_write_time(folder.path() / name, fs::file_time_type::clock::now() - std::chrono::hours(hours));
  };
  make("ab/.one.json.0123456789abcdef.tmp", 30);
  make(".new.json.0123456789abcdef.tmp", 1);
  make(".notes.tmp", 30);
  make("one.json", 30);
  remove_files_left_beside(folder.path(), std::chrono::hours(24));
  EXPECT_FALSE(fs::exists(folder.path() / "ab/.one.json.0123456789abcdef.tmp"));
  for (const char* stays : {".new.json.0123456789abcdef.tmp", ".notes.tmp", "one.json"})
    EXPECT_TRUE(fs::exists(folder.path() / stays)) << stays;
}

TEST(MakeDirectories, KeepTheGroupThatAFolderHandsDown) {
  const TemporaryDirectory folder;
  ASSERT_EQ(::chmod(folder.path().c_str(), 02750), 0);
  for (const mode_t mask : {0000U, 0022U, 0077U}) {
    const Umask given(mask);
    const fs::path made = folder.path() / std::to_string(mask) / "b";
    make_directories(made);
    EXPECT_EQ(mode_of(made), 02750U) << mask;
    write_file_durably(made / "file", "x");
    EXPECT_EQ(mode_of(made / "file"), 0640U) << mask;
  }
}

TEST(MakeDirectories, GiveAUserWhoIsInTheGroupAFolderThatItsGroupKeeps) {
  KERNMILL_NEEDS_OTHER_USERS();
  constexpr gid_t project = 54321;
  const TemporaryDirectory folder;
  ASSERT_EQ(::chown(folder.path().c_str(), testing::alice, project), 0);
  ASSERT_EQ(::chmod(folder.path().c_str(), 02770), 0);
  const fs::path made = folder.path() / "run";
  ASSERT_TRUE(testing::as_user(testing::alice, project, [&] {
    const Umask given(0077);
    make_directories(made);
    write_file_durably(made / "plan.json", "{}");
    return true;
  }));
  struct stat status {};
  ASSERT_EQ(::stat((made / "plan.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_gid, project);
  EXPECT_EQ(mode_of(made), 02750U);
  EXPECT_TRUE(testing::as_user(testing::mallory, project, [&] {
    return read_file(made / "plan.json") == "{}";
  })) << "a colleague of the group may read it";
}

TEST(ReplaceFile, MakesFilesOfItsUserAlone) {
  const TemporaryDirectory folder;
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  const Umask given(0000);
  replace_file(folder.path() / "a" / "b", "x");
  EXPECT_EQ(mode_of(folder.path() / "a"), 0700U);
  EXPECT_EQ(mode_of(folder.path() / "a" / "b"), 0600U);
}

}  // namespace
}  // namespace kernmill
