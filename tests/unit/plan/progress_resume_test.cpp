#include <gmock/gmock.h>

#include "plan_support.hpp"

namespace kernmill::testing {
namespace {

using ::testing::ElementsAre;

// a[0..2] -> b -> c
Plan chain() {
  return plan({command("a", {}, one_axis(3)), command("b", {"a"}), command("c", {"b"})});
}

TEST(ProgressResume, WhatWasCommittedIsNotGivenOutAgain) {
  const Plan p = chain();
  Progress progress(p, {});
  progress.restore(id(p, "a", 1), State::finished);
  EXPECT_THAT(take_all(p, progress), ElementsAre("a[0]", "a[2]"));
}

TEST(ProgressResume, ChildrenOfWhatWasCommittedMayStart) {
  const Plan p = chain();
  Progress progress(p, {});
  for (std::uint32_t i : {2, 0, 1}) progress.restore(id(p, "a", i), State::finished);
  EXPECT_THAT(take_all(p, progress), ElementsAre("b"));
}

TEST(ProgressResume, TheOrderOfRestoringDoesNotMatter) {
  const Plan p = chain();
  Progress progress(p, {});
  progress.restore(id(p, "b"), State::finished);  // before its parents
  for (std::uint32_t i : {0, 1, 2}) progress.restore(id(p, "a", i), State::finished);
  EXPECT_THAT(take_all(p, progress), ElementsAre("c"));
}

TEST(ProgressResume, ASkippedInstanceStaysSkippedWithItsChildren) {
  const Plan p = chain();
  Progress progress(p, {});
  progress.restore(id(p, "b"), State::skipped);
  progress.restore(id(p, "c"), State::skipped);
  EXPECT_THAT(take_all(p, progress), ElementsAre("a[0]", "a[1]", "a[2]"));
}

TEST(ProgressResume, AParentThatIsMissingRunsThoughItsChildWasCommitted) {
  const Plan p = chain();
  Progress progress(p, {});
  progress.restore(id(p, "b"), State::finished);
  EXPECT_THAT(take_all(p, progress), ElementsAre("a[0]", "a[1]", "a[2]", "c"));
}

TEST(ProgressResume, ARunThatHadFinishedIsComplete) {
  const Plan p = chain();
  Progress progress(p, {});
  for (std::uint32_t i : {0, 1, 2}) progress.restore(id(p, "a", i), State::finished);
  progress.restore(id(p, "b"), State::finished);
  progress.restore(id(p, "c"), State::finished);
  EXPECT_TRUE(progress.complete());
  EXPECT_EQ(progress.outcome(), PlanOutcome::done);
}

TEST(ProgressResume, ARestoredTuneStageStillOwesItsReduce) {
  const Plan p = plan({tune("search", {}, 2)});
  Progress progress(p, {});
  progress.restore(id(p, "search", 0), State::finished);
  progress.restore(id(p, "search", 1), State::finished);
  EXPECT_THAT(take_all(p, progress), ElementsAre("search.reduce"));
}

}  // namespace
}  // namespace kernmill::testing
