#include "kernmill/run/directory/trust.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/os/durable_file.hpp"
#include "other_user.hpp"
#include "temporary_directory.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::TemporaryDirectory;

/// A run with a plan, a lock and one file of the journal.
class Trust : public ::testing::Test {
 protected:
  Trust() : run_(create_run_directory(root_.path(), "w", false)) {
    for (const fs::path& file : {run_.plan(), run_.lock(), run_.workflow(), run_.journal() / "a.jsonl"})
      write_file_durably(file, "{}");
  }
  [[nodiscard]] std::string refusal(TrustDepth depth = TrustDepth::whole,
                                    std::optional<uid_t> vouched_for = {}) const {
    try {
      check_believed(run_, depth, vouched_for);
    } catch (const NotBelieved& why) {
      EXPECT_FALSE(why.help.empty());
      return why.what();
    }
    return "";
  }
  TemporaryDirectory root_;
  RunDirectory run_;
};

TEST_F(Trust, BelievesWhatThisUserHasMade) {
  EXPECT_EQ(refusal(), "");
}

TEST_F(Trust, DoesNotBelieveWhatOthersMayWrite) {
  for (const fs::path& path :
       {run_.root(), run_.journal(), run_.plan(), run_.lock(), run_.workflow(), run_.journal() / "a.jsonl"})
    for (const fs::perms who : {fs::perms::group_write, fs::perms::others_write}) {
      fs::permissions(path, who, fs::perm_options::add);
      EXPECT_THAT(refusal(), HasSubstr("may write it")) << path;
      fs::permissions(path, who, fs::perm_options::remove);
    }
  EXPECT_EQ(refusal(), "");
}

TEST_F(Trust, FollowsNoLink) {
  for (const fs::path& path : {run_.plan(), run_.journal(), run_.lock()}) {
    const fs::path elsewhere = root_.path() / "elsewhere";
    fs::rename(path, elsewhere);
    fs::create_symlink(elsewhere, path);
    EXPECT_NE(refusal(), "") << path;
    fs::remove(path);
    fs::rename(elsewhere, path);
  }
}

TEST_F(Trust, BelievesNothingBelowAFolderInWhichEverybodyMayRename) {
  ASSERT_EQ(::chmod(root_.path().c_str(), 0777), 0);
  EXPECT_THAT(refusal(), HasSubstr("everybody may exchange"));
  ASSERT_EQ(::chmod(root_.path().c_str(), 01777), 0);
  EXPECT_EQ(refusal(), "");
}

TEST_F(Trust, AJobLooksAtTheDoorsAlone) {
  fs::permissions(run_.journal() / "a.jsonl", fs::perms::others_write, fs::perm_options::add);
  EXPECT_EQ(refusal(TrustDepth::doors), "");
  fs::permissions(run_.plan(), fs::perms::others_write, fs::perm_options::add);
  EXPECT_NE(refusal(TrustDepth::doors), "");
}

TEST_F(Trust, TellsWhoseAForeignRunIsAndBelievesItWhenItsOwnerIsNamed) {
  KERNMILL_NEEDS_OTHER_USERS();
  ASSERT_EQ(::chown(run_.root().c_str(), testing::alice, 0), 0);
  EXPECT_THAT(refusal(), HasSubstr("it belongs to user 12345"));
  EXPECT_NE(refusal(TrustDepth::whole, testing::mallory), "");
  EXPECT_EQ(refusal(TrustDepth::whole, testing::alice), "");
}

TEST_F(Trust, DoesNotBelieveASingleForeignFile) {
  KERNMILL_NEEDS_OTHER_USERS();
  for (const fs::path& path : {run_.plan(), run_.lock(), run_.journal() / "a.jsonl"}) {
    ASSERT_EQ(::chown(path.c_str(), testing::mallory, 0), 0);
    EXPECT_THAT(refusal(), HasSubstr(path.string())) << path;
    ASSERT_EQ(::chown(path.c_str(), ::geteuid(), 0), 0);
  }
}

TEST_F(Trust, LastIsARunOfOnesOwn) {
  KERNMILL_NEEDS_OTHER_USERS();
  const RunDirectory later = create_run_directory(root_.path(), "w", false);
  ASSERT_EQ(::chown(later.root().c_str(), testing::mallory, 0), 0);
  EXPECT_EQ(select_run(root_.path(), "last").name(), run_.name());
  EXPECT_EQ(select_run(root_.path(), "last", testing::mallory).name(), later.name());
  EXPECT_EQ(select_run(root_.path(), later.name()).name(), later.name()) << "it may be looked at";
  EXPECT_THROW(select_run(root_.path(), "last", testing::alice), std::runtime_error);
}

TEST(UserCalled, NeedsAName) {
  EXPECT_EQ(user_called("0"), uid_t{0});
  EXPECT_EQ(user_called("root"), uid_t{0});
  EXPECT_FALSE(user_called(""));
  EXPECT_FALSE(user_called("no-such-user-as-this"));
}

TEST(ReadOwnFile, GivesNothingOfWhatOthersMayHaveWritten) {
  const TemporaryDirectory folder;
  const fs::path file = folder.path() / "file";
  std::ofstream(file) << "text";
  ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
  EXPECT_EQ(read_own_file(file), "text");
  fs::create_symlink(file, folder.path() / "link");
  EXPECT_FALSE(read_own_file(folder.path() / "link"));
  ASSERT_EQ(::mkfifo((folder.path() / "pipe").c_str(), 0600), 0);
  EXPECT_FALSE(read_own_file(folder.path() / "pipe"));
  ASSERT_EQ(::chmod(file.c_str(), 0664), 0);
  EXPECT_FALSE(read_own_file(file));
  if (!testing::may_act_as_others()) return;
  ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
  ASSERT_EQ(::chown(file.c_str(), testing::mallory, 0), 0);
  EXPECT_FALSE(read_own_file(file));
}

}  // namespace
}  // namespace kernmill
