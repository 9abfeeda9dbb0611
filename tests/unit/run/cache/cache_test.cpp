#include "kernmill/run/cache/cache.hpp"

#include <gmock/gmock.h>

#include "cache_support.hpp"

namespace kernmill::testing {
namespace {

using ::testing::SizeIs;

class ResultCache : public ::testing::Test {
 protected:
  /// An entry with one artifact, model.h5, that lies in an attempt directory of run `run`.
  CacheEntry entry(const std::string& run = "run-1", const std::string& setting = "C") {
    CacheEntry made;
    made.recipe.body = {{"kind", "train"}, {"config", {{setting, 1.0}}}, {"inputs", Json::object()}};
    made.recipe.input_names = {{"data", "iris.csv"}};
    made.recipe.key = recipe_key(made.recipe.body);
    made.workflow = "iris svm";
    made.stage = "fit";
    made.instance = 3;
    made.run = run;
    made.attempt_directory = directory_.path() / run / "attempt-1";
    const fs::path model = made.attempt_directory / "model.h5";
    write(model, "a model");
    age(model);
    made.artifacts = {{"model", model.string(), 7, sha256("a model")}};
    made.metrics = {{"objective", 0.25}};
    made.created = "2026-11-21T04:05:06.123Z";
    return made;
  }

  [[nodiscard]] fs::path entry_file(const CacheEntry& of) const {
    return directory_.path() / ".cache" / of.recipe.key.substr(0, 2) / (of.recipe.key + ".json");
  }

  TemporaryDirectory directory_;
  DigestStore digests_{directory_.path(), tomorrow};
  Cache cache_{directory_.path(), digests_};
};

TEST_F(ResultCache, GivesBackWhatWasStored) {
  const CacheEntry stored = entry();
  cache_.store(stored);
  const auto found = cache_.lookup(stored.recipe.key);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->recipe.body, stored.recipe.body);
  EXPECT_EQ(found->recipe.input_names, stored.recipe.input_names);
  EXPECT_EQ(found->run, "run-1");
  EXPECT_EQ(found->attempt_directory, stored.attempt_directory);
  ASSERT_THAT(found->artifacts, SizeIs(1));
  EXPECT_EQ(found->artifacts[0].sha256, sha256("a model"));
  EXPECT_EQ(found->metrics, stored.metrics);
  EXPECT_EQ(found->created, stored.created);
}

TEST_F(ResultCache, KnowsNothingOfAKeyThatWasNeverStored) {
  EXPECT_FALSE(cache_.lookup(sha256("other")));
}

TEST_F(ResultCache, ADamagedEntryIsAbsent) {
  const CacheEntry stored = entry();
  cache_.store(stored);
  const std::string whole = text_of(entry_file(stored));
  for (const std::string& damaged : {std::string{}, whole.substr(0, whole.size() / 2), std::string("[]"),
                                     std::string("{\"schema_version\":1}")}) {
    write(entry_file(stored), damaged);
    EXPECT_FALSE(cache_.lookup(stored.recipe.key)) << damaged;
    EXPECT_FALSE(cache_.newest("iris svm", "fit", 3)) << damaged;
  }
}

TEST_F(ResultCache, AnEntryWhoseRecipeHasAnotherKeyIsAbsent) {
  const CacheEntry stored = entry("run-1", "C"), other = entry("run-1", "l2");
  cache_.store(stored);
  cache_.store(other);
  fs::copy_file(entry_file(other), entry_file(stored), fs::copy_options::overwrite_existing);
  EXPECT_FALSE(cache_.lookup(stored.recipe.key));
}

TEST_F(ResultCache, AnEntryIsOfNoUseOnceAnArtifactIsGone) {
  const CacheEntry stored = entry();
  cache_.store(stored);
  fs::remove(stored.artifacts[0].path);
  EXPECT_FALSE(cache_.lookup(stored.recipe.key));
  EXPECT_TRUE(cache_.read(stored.recipe.key)) << "what it was is still known";
}

TEST_F(ResultCache, AnEntryIsOfNoUseOnceAnArtifactHasAnotherContentOfTheSameSize) {
  const CacheEntry stored = entry();
  cache_.store(stored);
  ASSERT_TRUE(cache_.lookup(stored.recipe.key));
  write(stored.artifacts[0].path, "b model");
  EXPECT_FALSE(cache_.lookup(stored.recipe.key));
}

TEST_F(ResultCache, ALaterEntryOfTheSameKeyTakesThePlaceOfTheEarlier) {
  cache_.store(entry("run-1"));
  const CacheEntry later = entry("run-2");
  cache_.store(later);
  EXPECT_EQ(cache_.lookup(later.recipe.key)->run, "run-2");
}

TEST_F(ResultCache, TheNewestEntryOfAnInstanceIsFoundWhateverItsRecipe) {
  cache_.store(entry("run-1", "C"));
  cache_.store(entry("run-2", "l2"));
  EXPECT_EQ(cache_.newest("iris svm", "fit", 3)->run, "run-2");
  EXPECT_FALSE(cache_.newest("iris svm", "fit", 4));
  EXPECT_FALSE(cache_.newest("../iris svm", "fit", 3));
}

TEST_F(ResultCache, TakingLinksTheArtifactsAndTellsWhereTheyAre) {
  const CacheEntry stored = entry();
  const fs::path destination = directory_.path() / "run-2" / "attempt-1";
  fs::create_directories(destination);
  const CacheEntry taken = take(stored, destination, digests_).value();
  EXPECT_EQ(taken.attempt_directory, destination);
  EXPECT_EQ(taken.artifacts[0].path, (destination / "model.h5").string());
  EXPECT_TRUE(fs::equivalent(stored.artifacts[0].path, taken.artifacts[0].path));
}

TEST_F(ResultCache, WhatWasTakenOutlivesTheRunItCameFrom) {
  const CacheEntry stored = entry("run-1");
  cache_.store(stored);
  const fs::path destination = directory_.path() / "run-2" / "attempt-1";
  fs::create_directories(destination);
  cache_.store(take(stored, destination, digests_).value());
  fs::remove_all(directory_.path() / "run-1");
  const auto found = cache_.lookup(stored.recipe.key);
  ASSERT_TRUE(found);
  EXPECT_EQ(text_of(found->artifacts[0].path), "a model");
}

TEST_F(ResultCache, TakingMakesFoldersThatArtifactsLieIn) {
  CacheEntry stored = entry();
  const fs::path nested = stored.attempt_directory / "plots" / "roc.svg";
  write(nested, "<svg/>");
  stored.artifacts.push_back({"plots/roc.svg", nested.string(), 6, sha256("<svg/>")});
  const fs::path destination = directory_.path() / "run-2";
  fs::create_directories(destination);
  EXPECT_EQ(text_of(take(stored, destination, digests_)->artifacts[1].path), "<svg/>");
}

TEST_F(ResultCache, TakingTwiceIsAsGoodAsOnce) {
  const CacheEntry stored = entry();
  const fs::path destination = directory_.path() / "run-2";
  write(destination / "model.h5", "left by an attempt that died");
  take(stored, destination, digests_);
  EXPECT_EQ(text_of(take(stored, destination, digests_)->artifacts[0].path), "a model");
}

TEST_F(ResultCache, TakingCopiesWhereNoLinkIsPossible) {
  const fs::path memory = "/dev/shm/kernmill-test-" + std::to_string(::getpid());
  struct stat here {
  }, there{};
  if (::stat("/dev/shm", &there) != 0 || ::stat(directory_.path().c_str(), &here) != 0 ||
      here.st_dev == there.st_dev)
    GTEST_SKIP() << "there is but one file system here";
  const CacheEntry stored = entry();
  fs::create_directories(memory);
  EXPECT_EQ(text_of(take(stored, memory, digests_)->artifacts[0].path), "a model");
  fs::remove_all(memory);
}

TEST_F(ResultCache, ManyProcessesStoreAndReadAtOnce) {
  const CacheEntry stored = entry();
  cache_.store(stored);
  const auto work = [&](int process) {
    for (int i = 0; i < 50; ++i) {
      if (process % 2 == 0)
        cache_.store(stored);
      else if (!cache_.lookup(stored.recipe.key) || !cache_.newest("iris svm", "fit", 3))
        return false;
    }
    return true;
  };
  EXPECT_EQ(failures_of(6, work), 0);
}

}  // namespace
}  // namespace kernmill::testing
