// A cache in a folder that several users share.
#include <gmock/gmock.h>

#include "cache_support.hpp"
#include "kernmill/run/cache/own_cache.hpp"
#include "other_user.hpp"

namespace kernmill::testing {
namespace {

class SharedCache : public ::testing::Test {
 protected:
  /// An entry with one artifact, `name` below the folder of its attempt.
  CacheEntry entry(const std::string& name = "model.h5") {
    CacheEntry made;
    made.recipe.body = {{"kind", "train"}, {"config", Json::object()}, {"inputs", Json::object()}};
    made.recipe.key = recipe_key(made.recipe.body);
    made.workflow = made.stage = "fit";
    made.attempt_directory = root_.path() / "run-1" / "attempt-1";
    const fs::path file = made.attempt_directory / name;
    write(file, "a model");
    made.artifacts = {{"model", file.string(), 7, sha256("a model")}};
    made.created = "2026-11-21T04:05:06.123Z";
    return made;
  }
  [[nodiscard]] fs::path entry_file(const CacheEntry& of) const {
    return root_.path() / ".cache" / of.recipe.key.substr(0, 2) / (of.recipe.key + ".json");
  }
  static unsigned mode_of(const fs::path& path) {
    struct stat status {};
    ::stat(path.c_str(), &status);
    return status.st_mode & 07777;
  }

  TemporaryDirectory root_;
  DigestStore digests_{root_.path(), tomorrow};
  Cache cache_{root_.path(), digests_};
};

TEST_F(SharedCache, IsItsUsersAlone) {
  ASSERT_EQ(::chmod(root_.path().c_str(), 02750), 0);
  const Umask open(0000);
  const CacheEntry stored = entry();
  cache_.store(stored);
  EXPECT_EQ(mode_of(root_.path() / ".cache") & 0777U, 0700U);
  EXPECT_EQ(mode_of(entry_file(stored)), 0600U);
}

TEST_F(SharedCache, AnEntryThatOthersMayHaveWrittenIsAbsent) {
  const CacheEntry stored = entry();
  cache_.store(stored);
  ASSERT_TRUE(cache_.lookup(stored.recipe.key));
  ASSERT_EQ(::chmod(entry_file(stored).c_str(), 0666), 0);
  EXPECT_FALSE(cache_.lookup(stored.recipe.key));
  ASSERT_EQ(::chmod(entry_file(stored).c_str(), 0600), 0);
  if (!may_act_as_others()) return;
  ASSERT_EQ(::chown(entry_file(stored).c_str(), mallory, 0), 0);
  EXPECT_FALSE(cache_.lookup(stored.recipe.key));
}

TEST_F(SharedCache, AnotherUsersIsNeitherReadNorWritten) {
  KERNMILL_NEEDS_OTHER_USERS();
  const CacheEntry stored = entry();
  cache_.store(stored);
  for (const auto& path : fs::recursive_directory_iterator(root_.path() / ".cache"))
    ASSERT_EQ(::lchown(path.path().c_str(), mallory, 0), 0);
  ASSERT_EQ(::chown((root_.path() / ".cache").c_str(), mallory, 0), 0);
  const fs::path own = root_.path() / (".cache-" + std::to_string(::geteuid()));
  EXPECT_EQ(own_cache_directory(root_.path()), own);
  DigestStore digests(root_.path(), tomorrow);
  Cache cache(root_.path(), digests);
  EXPECT_FALSE(cache.lookup(stored.recipe.key));
  cache.store(stored);
  EXPECT_TRUE(cache.lookup(stored.recipe.key));
  EXPECT_EQ(mode_of(own), 0700U);
}

TEST_F(SharedCache, WhereOthersMayWriteEvenOnesOwnThereIsNone) {
  for (const std::string& name : {std::string(".cache"), ".cache-" + std::to_string(::geteuid())}) {
    ASSERT_EQ(::mkdir((root_.path() / name).c_str(), 0700), 0);
    ASSERT_EQ(::chmod((root_.path() / name).c_str(), 0777), 0);
  }
  EXPECT_EQ(own_cache_directory(root_.path()), fs::path());
  DigestStore digests(root_.path(), tomorrow);
  Cache cache(root_.path(), digests);
  EXPECT_THROW(cache.store(entry()), std::system_error);
  write(root_.path() / "file", "text");
  EXPECT_EQ(digests.sha256(root_.path() / "file"), sha256("text"));
}

TEST_F(SharedCache, NothingIsTakenFromOutsideOfTheAttemptsFolder) {
  const fs::path home = root_.path() / "home";
  write(home / "stolen", "a model");
  fs::create_directories(root_.path() / "run-1" / "attempt-1");
  for (const std::string& path :
       {(home / "stolen").string(), (root_.path() / "run-1/attempt-1/../../home/stolen").string()}) {
    CacheEntry bad = entry();
    bad.artifacts[0].path = path;
    cache_.store(bad);
    EXPECT_FALSE(cache_.lookup(bad.recipe.key)) << path;
    const fs::path destination = root_.path() / "run-2" / "attempt-1";
    fs::create_directories(destination);
    EXPECT_FALSE(take(bad, destination, digests_)) << path;
    EXPECT_TRUE(fs::is_empty(destination));
  }
}

TEST_F(SharedCache, NoLinkIsFollowedOutOfTheAttemptsFolder) {
  CacheEntry bad = entry("sub/model.h5");
  const fs::path sub = bad.attempt_directory / "sub";
  const fs::path home = root_.path() / "home";
  fs::rename(sub, home);
  fs::create_directory_symlink(home, sub);
  cache_.store(bad);
  EXPECT_FALSE(cache_.lookup(bad.recipe.key)) << "the folder is a link";
  fs::remove(sub);
  fs::create_directory(sub);
  fs::create_symlink(home / "model.h5", sub / "model.h5");
  EXPECT_FALSE(cache_.lookup(bad.recipe.key)) << "the file is a link";
}

TEST_F(SharedCache, WhatOthersMayWriteIsCopiedAndNotLinked) {
  const CacheEntry stored = entry();
  ASSERT_EQ(::chmod(stored.artifacts[0].path.c_str(), 0666), 0);
  const fs::path destination = root_.path() / "run-2";
  fs::create_directories(destination);
  const auto taken = take(stored, destination, digests_);
  ASSERT_TRUE(taken);
  EXPECT_FALSE(fs::equivalent(stored.artifacts[0].path, taken->artifacts[0].path));
  EXPECT_EQ(text_of(taken->artifacts[0].path), "a model");
}

TEST_F(SharedCache, WhatIsNoLongerAsItWasCommittedIsNotTaken) {
  const CacheEntry stored = entry();
  write(stored.artifacts[0].path, "b model");
  const fs::path destination = root_.path() / "run-2";
  fs::create_directories(destination);
  EXPECT_FALSE(take(stored, destination, digests_));
}

}  // namespace
}  // namespace kernmill::testing
