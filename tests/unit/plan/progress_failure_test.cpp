#include <gmock/gmock.h>

#include "plan_support.hpp"

namespace kernmill::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Stage tolerant(Stage stage, int max_fails) {
  stage.max_fails = max_fails;
  return stage;
}

// prepare -> fit -> score        (fit fails)
//        \-> plot
Plan branches() {
  return plan({command("prepare"), command("fit", {"prepare"}), command("plot", {"prepare"}),
               command("score", {"fit"})});
}

TEST(ProgressFailure, BlocksWhatDependsOnItAndLetsOtherBranchesFinish) {
  const Plan p = branches();
  Progress progress(p, {});
  progress.finished(*progress.take_ready());
  EXPECT_THAT(take_all(p, progress), ElementsAre("fit", "plot"));
  EXPECT_FALSE(progress.failed(id(p, "fit"), false));
  EXPECT_EQ(progress.state(id(p, "score")), State::blocked);
  EXPECT_FALSE(progress.complete());
  progress.finished(id(p, "plot"));
  EXPECT_TRUE(progress.complete());
  EXPECT_EQ(progress.outcome(), PlanOutcome::failed);
}

TEST(ProgressFailure, ABlockedInstanceNamesTheStageThatFailed) {
  const Plan p = branches();
  Progress progress(p, {});
  progress.finished(*progress.take_ready());
  take_all(p, progress);
  progress.failed(id(p, "fit"), false);
  EXPECT_EQ(progress.because_of(id(p, "score")), p.stage_number("fit"));
  EXPECT_EQ(progress.because_of(id(p, "fit")), std::nullopt);
}

TEST(ProgressFailure, BlocksALongChainToItsEnd) {
  std::vector<Stage> chain{command("s0")};
  for (int s = 1; s < 20000; ++s) chain.push_back(command("s" + std::to_string(s), {chain.back().name}));
  const Plan p = plan(chain);
  Progress progress(p, {});
  progress.failed(*progress.take_ready(), false);
  EXPECT_EQ(progress.count(State::blocked), 19999);
  EXPECT_TRUE(progress.complete());
}

TEST(ProgressFailure, FailFastStartsNothingNew) {
  const Plan p = plan({command("a"), command("b"), command("c")});
  Progress progress(p, {.fail_fast = true});
  const auto a = progress.take_ready();
  const auto b = progress.take_ready();
  progress.failed(*a, false);
  EXPECT_THAT(take_all(p, progress), IsEmpty());
  EXPECT_FALSE(progress.complete()) << "b still runs";
  progress.finished(*b);
  EXPECT_TRUE(progress.complete());
  EXPECT_EQ(progress.outcome(), PlanOutcome::failed);
}

TEST(ProgressFailure, FailFastLetsToleratedFailuresPass) {
  const Plan p = plan({tolerant(command("a", {}, one_axis(3)), 1)});
  Progress progress(p, {.fail_fast = true});
  progress.failed(*progress.take_ready(), false);
  EXPECT_THAT(take_all(p, progress), ElementsAre("a[1]", "a[2]"));
}

TEST(ProgressFailure, ARetryMakesTheInstanceReadyAgain) {
  const Plan p = plan({command("a"), command("b", {"a"})});
  Progress progress(p, {});
  EXPECT_TRUE(progress.failed(*progress.take_ready(), true));
  EXPECT_EQ(progress.state(id(p, "b")), State::waiting);
  EXPECT_THAT(take_all(p, progress), ElementsAre("a"));
  progress.finished(id(p, "a"));
  finish_all(progress);
  EXPECT_EQ(progress.outcome(), PlanOutcome::done);
}

// a[0..2] -> collect
TEST(ProgressFailure, WithinMaxFailsACollectingStageGoesOn) {
  const Plan p = plan({tolerant(command("a", {}, one_axis(3)), 1), command("collect", {"a"})});
  Progress progress(p, {});
  progress.failed(*progress.take_ready(), false);
  finish_all(progress);
  EXPECT_EQ(progress.state(id(p, "collect")), State::finished);
  EXPECT_EQ(progress.outcome(), PlanOutcome::done);
}

TEST(ProgressFailure, BeyondMaxFailsACollectingStageIsBlockedAtOnce) {
  const Plan p = plan({tolerant(command("a", {}, one_axis(3)), 1), command("collect", {"a"})});
  Progress progress(p, {});
  progress.failed(*progress.take_ready(), false);
  EXPECT_EQ(progress.state(id(p, "collect")), State::waiting);
  progress.failed(*progress.take_ready(), false);
  EXPECT_EQ(progress.state(id(p, "collect")), State::blocked);
  EXPECT_THAT(take_all(p, progress), ElementsAre("a[2]")) << "the others of the stage still run";
  EXPECT_EQ(progress.outcome(), PlanOutcome::failed);
}

// a[i] -> b[i] -> collect      (a[1] fails)
TEST(ProgressFailure, AToleratedFailureBlocksItsOwnChildAlone) {
  const Plan p = plan({tolerant(command("a", {}, one_axis(3)), 1),
                       tolerant(command("b", {"a"}, one_axis(3)), 1), command("collect", {"b"})});
  Progress progress(p, {});
  take_all(p, progress);
  progress.finished(id(p, "a", 0));
  progress.failed(id(p, "a", 1), false);
  progress.finished(id(p, "a", 2));
  EXPECT_EQ(progress.state(id(p, "b", 1)), State::blocked);
  EXPECT_THAT(take_all(p, progress), ElementsAre("b[0]", "b[2]"));
  progress.finished(id(p, "b", 0));
  progress.finished(id(p, "b", 2));
  EXPECT_THAT(take_all(p, progress), ElementsAre("collect"));
  progress.finished(id(p, "collect"));
  EXPECT_EQ(progress.outcome(), PlanOutcome::done);
}

TEST(ProgressFailure, ABlockedInstanceCountsAgainstMaxFailsOfItsStage) {
  const Plan p = plan({tolerant(command("a", {}, one_axis(3)), 1), command("b", {"a"}, one_axis(3)),
                       command("collect", {"b"})});
  Progress progress(p, {});
  progress.failed(*progress.take_ready(), false);
  finish_all(progress);
  EXPECT_EQ(progress.state(id(p, "collect")), State::blocked);
  EXPECT_EQ(progress.outcome(), PlanOutcome::failed);
}

TEST(ProgressFailure, TrialsBeyondMaxFailsBlockTheReduce) {
  const Plan p = plan({tolerant(tune("search", {}, 3), 1), command("fit", {"search"})});
  Progress progress(p, {});
  take_all(p, progress);
  progress.failed(id(p, "search", 0), false);
  EXPECT_EQ(progress.state(id(p, "search", 3)), State::waiting);
  progress.failed(id(p, "search", 2), false);
  EXPECT_EQ(progress.state(id(p, "search", 3)), State::blocked);
  EXPECT_EQ(progress.state(id(p, "fit")), State::blocked);
  EXPECT_EQ(progress.because_of(id(p, "search", 3)), p.stage_number("search"));
}

TEST(ProgressFailure, TheReduceGoesOnWithTheTrialsThatWereLeft) {
  const Plan p = plan({tolerant(tune("search", {}, 3), 1)});
  Progress progress(p, {});
  progress.failed(*progress.take_ready(), false);
  finish_all(progress);
  EXPECT_EQ(progress.state(id(p, "search", 3)), State::finished);
  EXPECT_EQ(progress.outcome(), PlanOutcome::done);
}

TEST(ProgressFailure, AFailedReduceFailsTheStageWhateverMaxFailsAllows) {
  const Plan p = plan({tolerant(tune("search", {}, 2), 5), command("fit", {"search"})});
  Progress progress(p, {});
  progress.finished(*progress.take_ready());
  progress.finished(*progress.take_ready());
  progress.failed(*progress.take_ready(), false);
  EXPECT_EQ(progress.state(id(p, "fit")), State::blocked);
  EXPECT_EQ(progress.outcome(), PlanOutcome::failed);
}

// fails -> last <- skipped
TEST(ProgressFailure, AFailedParentCountsMoreThanASkippedOneInEitherOrder) {
  const Plan p = plan({command("fails"), command("skipped"), command("last", {"fails", "skipped"})});
  for (const bool failure_first : {true, false}) {
    Progress progress(p, {});
    take_all(p, progress);
    if (failure_first) progress.failed(id(p, "fails"), false);
    progress.skipped(id(p, "skipped"));
    if (!failure_first) progress.failed(id(p, "fails"), false);
    EXPECT_EQ(progress.state(id(p, "last")), State::blocked);
  }
}

}  // namespace
}  // namespace kernmill::testing
