#include "kernmill/plan/progress.hpp"

#include <gmock/gmock.h>

#include "plan_support.hpp"

namespace kernmill::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

//     a
//    / \.
//   b   c
//    \ /
//     d
Plan diamond() {
  return plan({command("a"), command("b", {"a"}), command("c", {"a"}), command("d", {"b", "c"})});
}

TEST(Progress, OnlyRootsMayStartAtFirst) {
  const Plan p = diamond();
  Progress progress(p, {});
  EXPECT_THAT(take_all(p, progress), ElementsAre("a"));
  EXPECT_EQ(progress.state(id(p, "a")), State::running);
  EXPECT_EQ(progress.state(id(p, "b")), State::waiting);
}

TEST(Progress, BothSidesOfADiamondMayStartTogether) {
  const Plan p = diamond();
  Progress progress(p, {});
  progress.finished(*progress.take_ready());
  EXPECT_THAT(take_all(p, progress), ElementsAre("b", "c"));
}

TEST(Progress, TheEndOfADiamondWaitsForBothSides) {
  const Plan p = diamond();
  Progress progress(p, {});
  progress.finished(*progress.take_ready());
  take_all(p, progress);
  progress.finished(id(p, "c"));
  EXPECT_THAT(take_all(p, progress), IsEmpty());
  progress.finished(id(p, "b"));
  EXPECT_THAT(take_all(p, progress), ElementsAre("d"));
}

TEST(Progress, IsCompleteAndDoneWhenAllHasFinished) {
  const Plan p = diamond();
  Progress progress(p, {});
  EXPECT_FALSE(progress.complete());
  finish_all(progress);
  EXPECT_TRUE(progress.complete());
  EXPECT_EQ(progress.outcome(), PlanOutcome::done);
  EXPECT_EQ(progress.count(State::finished), 4);
}

TEST(Progress, IsNotCompleteWhileSomethingRuns) {
  const Plan p = plan({command("a")});
  Progress progress(p, {});
  take_all(p, progress);
  EXPECT_FALSE(progress.complete());
}

// a[0] -> b[0]
// a[1] -> b[1]
// a[2] -> b[2]
TEST(Progress, AnInstanceOfTheSameMatrixWaitsForItsOwnParentAlone) {
  const Plan p = plan({command("a", {}, one_axis(3)), command("b", {"a"}, one_axis(3))});
  Progress progress(p, {});
  EXPECT_THAT(take_all(p, progress), ElementsAre("a[0]", "a[1]", "a[2]"));
  progress.finished(id(p, "a", 2));
  EXPECT_THAT(take_all(p, progress), ElementsAre("b[2]"));
  progress.finished(id(p, "a", 0));
  EXPECT_THAT(take_all(p, progress), ElementsAre("b[0]"));
}

// a[0..2] -> collect
TEST(Progress, DownstreamWaitsForEveryInstance) {
  const Plan p = plan({command("a", {}, one_axis(3)), command("collect", {"a"})});
  Progress progress(p, {});
  take_all(p, progress);
  progress.finished(id(p, "a", 0));
  progress.finished(id(p, "a", 2));
  EXPECT_THAT(take_all(p, progress), IsEmpty());
  progress.finished(id(p, "a", 1));
  EXPECT_THAT(take_all(p, progress), ElementsAre("collect"));
}

//  a[i] ---> c[i] <--- b
TEST(Progress, AnInstanceWaitsForItsOwnParentAndForAWholeStage) {
  const Plan p = plan({command("a", {}, one_axis(2)), command("b"), command("c", {"a", "b"}, one_axis(2))});
  Progress progress(p, {});
  take_all(p, progress);
  progress.finished(id(p, "a", 1));
  EXPECT_THAT(take_all(p, progress), IsEmpty());
  progress.finished(id(p, "b"));
  EXPECT_THAT(take_all(p, progress), ElementsAre("c[1]"));
  progress.finished(id(p, "a", 0));
  EXPECT_THAT(take_all(p, progress), ElementsAre("c[0]"));
}

// prepare -> search[0..1] -> search.reduce -> fit
TEST(Progress, TheReduceOfATuneStageWaitsForItsTrialsAndChildrenForTheReduce) {
  const Plan p = plan({command("prepare"), tune("search", {"prepare"}, 2), command("fit", {"search"})});
  Progress progress(p, {});
  progress.finished(*progress.take_ready());
  EXPECT_THAT(take_all(p, progress), ElementsAre("search[0]", "search[1]"));
  progress.finished(id(p, "search", 1));
  EXPECT_THAT(take_all(p, progress), IsEmpty());
  progress.finished(id(p, "search", 0));
  EXPECT_THAT(take_all(p, progress), ElementsAre("search.reduce"));
  progress.finished(id(p, "search", 2));
  EXPECT_THAT(take_all(p, progress), ElementsAre("fit"));
}

TEST(Progress, MaxParallelBoundsTheRunningInstancesOfAStage) {
  Stage narrow = command("narrow", {}, one_axis(5));
  narrow.max_parallel = 2;
  const Plan p = plan({narrow, command("free")});
  Progress progress(p, {});
  EXPECT_THAT(take_all(p, progress), ElementsAre("narrow[0]", "narrow[1]", "free"));
  progress.finished(id(p, "narrow", 0));
  EXPECT_THAT(take_all(p, progress), ElementsAre("narrow[2]"));
  progress.failed(id(p, "narrow", 1), true);
  EXPECT_THAT(take_all(p, progress), ElementsAre("narrow[1]"));
}

TEST(Progress, AnInstanceThatWasPutBackIsGivenOutAgain) {
  const Plan p = plan({command("a", {}, one_axis(2))});
  Progress progress(p, {});
  const auto taken = progress.take_ready();
  progress.put_back(*taken);
  EXPECT_EQ(progress.state(*taken), State::ready);
  EXPECT_THAT(take_all(p, progress), ElementsAre("a[0]", "a[1]"));
}

TEST(Progress, EarlierStagesGoFirst) {
  const Plan p = plan({command("a", {}, one_axis(2)), command("b", {"a"}, one_axis(2))});
  Progress progress(p, {});
  const auto first = progress.take_ready();
  progress.finished(*first);  // b[0] and a[1] are ready
  EXPECT_THAT(take_all(p, progress), ElementsAre("a[1]", "b[0]"));
}

TEST(Progress, AStageWithoutInstancesKeepsNobodyWaiting) {
  Matrix nothing = one_axis(1);
  nothing.exclude = {Json{{"x", 0}}};
  const Plan p = plan({command("a", {}, nothing), command("b", {"a"})});
  Progress progress(p, {});
  EXPECT_THAT(take_all(p, progress), ElementsAre("b"));
}

TEST(Progress, AReportThatCannotBeIsRefused) {
  const Plan p = diamond();
  Progress progress(p, {});
  EXPECT_THROW(progress.finished(id(p, "a")), std::logic_error);
  EXPECT_THROW(progress.failed(id(p, "b"), false), std::logic_error);
  EXPECT_THROW(progress.put_back(id(p, "d")), std::logic_error);
  finish_all(progress);
  EXPECT_THROW(progress.skipped(id(p, "a")), std::logic_error);
  EXPECT_THROW(progress.restore(id(p, "a"), State::skipped), std::logic_error);
}

TEST(Progress, CausesAreReadAsTheyAreWritten) {
  for (const Cause c :
       {Cause::error, Cause::oom, Cause::timeout, Cause::node_fail, Cause::preempted, Cause::cancelled})
    EXPECT_EQ(cause(to_string(c)), c);
  EXPECT_EQ(cause("bad luck"), std::nullopt);
}

}  // namespace
}  // namespace kernmill::testing
