#include <gmock/gmock.h>

#include "plan_support.hpp"

namespace kernmill::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// a -> b -> c -> d
TEST(ProgressSkip, ASkippedParentSkipsAllThatComesAfterIt) {
  const Plan p = plan({command("a"), command("b", {"a"}), command("c", {"b"}), command("d", {"c"})});
  Progress progress(p, {});
  progress.finished(*progress.take_ready());
  progress.skipped(id(p, "b"));
  EXPECT_EQ(progress.count(State::skipped), 3);
  EXPECT_TRUE(progress.complete());
  EXPECT_EQ(progress.outcome(), PlanOutcome::done);
}

TEST(ProgressSkip, ARunningReadyOrWaitingInstanceMayBeSkipped) {
  const Plan p = plan({command("running"), command("ready"), command("waiting", {"ready"})});
  Progress progress(p, {});
  progress.skipped(*progress.take_ready());
  progress.skipped(id(p, "waiting"));
  EXPECT_EQ(progress.state(id(p, "ready")), State::ready);
  progress.skipped(id(p, "ready"));
  EXPECT_EQ(progress.count(State::skipped), 3);
  EXPECT_TRUE(progress.complete());
}

TEST(ProgressSkip, OnlyTheChildOfItsOwnNumberIsSkipped) {
  const Plan p = plan({command("a", {}, one_axis(2)), command("b", {"a"}, one_axis(2))});
  Progress progress(p, {});
  progress.skipped(id(p, "a", 0));
  progress.finished(*progress.take_ready());
  EXPECT_EQ(progress.state(id(p, "b", 0)), State::skipped);
  EXPECT_THAT(take_all(p, progress), ElementsAre("b[1]"));
}

// a[0..2] -> collect      (a[1] is skipped)
TEST(ProgressSkip, ACollectingStageGoesOnWithTheInstancesThatRan) {
  const Plan p = plan({command("a", {}, one_axis(3)), command("collect", {"a"})});
  Progress progress(p, {});
  progress.skipped(id(p, "a", 1));
  progress.finished(*progress.take_ready());
  progress.finished(*progress.take_ready());
  EXPECT_THAT(take_all(p, progress), ElementsAre("collect"));
}

TEST(ProgressSkip, ACollectingStageIsSkippedWhenNoInstanceRan) {
  const Plan p = plan({command("a", {}, one_axis(2)), command("collect", {"a"})});
  Progress progress(p, {});
  progress.skipped(id(p, "a", 0));
  progress.skipped(id(p, "a", 1));
  EXPECT_EQ(progress.state(id(p, "collect")), State::skipped);
  EXPECT_EQ(progress.because_of(id(p, "collect")), p.stage_number("a"));
}

TEST(ProgressSkip, AFalseWhenOfItsOwnIsNobodyElsesDoing) {
  const Plan p = plan({command("a")});
  Progress progress(p, {});
  progress.skipped(id(p, "a"));
  EXPECT_EQ(progress.because_of(id(p, "a")), std::nullopt);
}

TEST(ProgressSkip, TheReduceIsSkippedWithAllItsTrials) {
  const Plan p = plan({tune("search", {}, 2), command("fit", {"search"})});
  Progress progress(p, {});
  progress.skipped(id(p, "search", 0));
  progress.skipped(id(p, "search", 1));
  EXPECT_EQ(progress.state(id(p, "search", 2)), State::skipped);
  EXPECT_EQ(progress.state(id(p, "fit")), State::skipped);
}

TEST(ProgressSkip, ASkippedParentSkipsTheTrialsAndTheReduce) {
  const Plan p = plan({command("a"), tune("search", {"a"}, 2)});
  Progress progress(p, {});
  progress.skipped(id(p, "a"));
  EXPECT_EQ(progress.count(State::skipped), 4);
}

// skipped -> last <- slow
TEST(ProgressSkip, IsDecidedOnlyWhenEveryParentHasSettled) {
  const Plan p = plan({command("skipped"), command("slow"), command("last", {"skipped", "slow"})});
  Progress progress(p, {});
  progress.skipped(id(p, "skipped"));
  EXPECT_EQ(progress.state(id(p, "last")), State::waiting);
  progress.finished(*progress.take_ready());
  EXPECT_EQ(progress.state(id(p, "last")), State::skipped);
  EXPECT_THAT(take_all(p, progress), IsEmpty());
}

}  // namespace
}  // namespace kernmill::testing
