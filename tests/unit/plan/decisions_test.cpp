#include "kernmill/plan/decisions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/plan/instance_plan.hpp"
#include "kernmill/plan/job_plan.hpp"
#include "plan_support.hpp"

namespace kernmill::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A matrix with an axis `part` that `split` leaves.
Matrix parts(const std::string& of = "split") {
  Matrix matrix;
  matrix.axes = {{"k", {1, 2}}, {"part", {}}};
  matrix.later = {{{"part"}, false, of, "parts"}};
  return matrix;
}

//  split -> fit (one an item) -> score (the same) -> collect
Plan undecided() {
  return plan({command("split"), command("fit", {"split"}, parts()),
               command("score", {"split", "fit"}, parts()), command("collect", {"score"})});
}

Growth grown(const Plan& plan, std::vector<Json> values, const std::string& problem = "") {
  auto growth = grow(plan, [&](const Matrix::Later&) {
    return std::optional(DecidedList{{{"part", values}}, problem});
  });
  EXPECT_TRUE(growth.has_value());
  return std::move(*growth);
}

TEST(Decisions, AStageWithoutItsListHasNoInstancesAndIsPlannedSo) {
  const Plan before = undecided();
  EXPECT_TRUE(before.undecided(1));
  EXPECT_EQ(before.instance_count(1), 0U);
  EXPECT_EQ(before.total_instances(), 2U);
  EXPECT_EQ(before.parents(2)[1].kind, EdgeKind::each);
  const Json json = to_json(before);
  EXPECT_TRUE(json["plan"][1]["instances"].is_null());
  EXPECT_EQ(json["plan"][1]["decided_by"], Json({"split"}));
  EXPECT_EQ(to_json(plan_from_json(Json::parse(json.dump()))), json);
  EXPECT_FALSE(grow(before, [](const Matrix::Later&) { return std::optional<DecidedList>(); }).has_value());
}

TEST(Decisions, AListMakesInstancesAndKeepsTheNumbersOfStages) {
  const auto [after, stages] = grown(undecided(), {"a", "b", "c"});
  EXPECT_THAT(stages, ElementsAre(1, 2));
  EXPECT_EQ(after.instance_count(1), 6U);
  EXPECT_EQ(after.values({1, 4}).dump(), R"({"k":2,"part":"b"})");
  EXPECT_EQ(after.parents(2)[1].kind, EdgeKind::each);
  EXPECT_TRUE(after.all_decided());
  EXPECT_EQ(to_json(plan_from_json(Json::parse(to_json(after).dump()))), to_json(after));
  EXPECT_EQ(plan_from_json(InstancePlans(after).of({1, 4})).values({1, 4}), after.values({1, 4}));
}

TEST(Decisions, WhatIsDecidedStaysInAnEditedWorkflow) {
  const Plan before = grown(undecided(), {"a", "b", "c"}).plan;
  const Workflow edited = with_decisions_of(before, undecided().workflow());
  EXPECT_EQ(to_json(Plan(edited)), to_json(before));
  Workflow other = undecided().workflow();
  other.stages[1].matrix.later.front().name = "others";  // another list is not known yet
  const Plan after(with_decisions_of(before, other));
  EXPECT_TRUE(after.undecided(1));
  EXPECT_FALSE(after.undecided(2));
}

TEST(Decisions, AListThatCannotBeUsedIsOneInstanceThatFails) {
  const auto growth = grown(undecided(), {}, "it is no list");
  EXPECT_EQ(growth.plan.instance_count(1), 1U);
  EXPECT_EQ(growth.plan.stage(1).matrix.problem, "it is no list");
  EXPECT_THAT(growth.plan.values({1, 0}), IsEmpty());
  EXPECT_EQ(to_json(plan_from_json(Json::parse(to_json(growth.plan).dump()))), to_json(growth.plan));
  EXPECT_EQ(to_json(without_problems(growth.plan)), to_json(undecided()));
}

TEST(Decisions, ResourcesThatAListSpoilsAreSaid) {
  Stage fit = command("fit", {"split"}, parts());
  fit.resources = {{"ntasks", "${{ matrix.part }}"}};
  const auto growth = grown(plan({command("split"), fit}), {2, "many"});
  EXPECT_THAT(growth.plan.stage(1).matrix.problem, HasSubstr("fit[1]: its resources"));
}

TEST(Decisions, JobsAreOfStagesThatAreDecided) {
  const auto keys = [](const Plan& plan) {
    std::vector<std::string> all;
    for (const ArrayPlan& array : plan_jobs(plan, {})) all.push_back(array.key);
    return all;
  };
  EXPECT_THAT(keys(undecided()), ElementsAre("split.0"));
  EXPECT_THAT(keys(grown(undecided(), {1}).plan), ElementsAre("split.0", "fit.0", "score.0", "collect.0"));
  EXPECT_THAT(keys(grown(undecided(), {}).plan), ElementsAre("split.0", "collect.0"));
  EXPECT_THAT(keys(grown(undecided(), {}, "broken").plan), ElementsAre("split.0"));
  EXPECT_EQ(stage_of_growth(growth_key("split")), "split");
  EXPECT_FALSE(stage_of_growth("grow.0").has_value());
}

class GrowingProgress : public ::testing::Test {
 protected:
  void take_and_finish(const char* stage) {
    const auto taken = progress.take_ready();
    ASSERT_TRUE(taken.has_value());
    EXPECT_EQ(now.stage(taken->stage).name, stage);
    progress.finished(*taken);
  }
  void grow_by(std::vector<Json> values) {
    auto growth = grown(now, std::move(values));
    now = std::move(growth.plan);
    progress.grown(growth.stages);
  }
  State of(const char* stage, std::uint32_t index = 0) { return progress.state(id(now, stage, index)); }

  Plan now = undecided();
  Progress progress{now, {}};
};

TEST_F(GrowingProgress, WhatWaitsForAnUndecidedStageWaitsUntilAllOfItHasRun) {
  take_and_finish("split");
  EXPECT_FALSE(progress.take_ready().has_value());
  EXPECT_EQ(of("collect"), State::waiting);
  EXPECT_EQ(progress.state_of_undecided(1), State::waiting);
  grow_by({"a"});
  EXPECT_EQ(of("score", 1), State::waiting);
  for (const char* stage : {"fit", "fit", "score", "score", "collect"}) take_and_finish(stage);
  EXPECT_EQ(progress.outcome(), PlanOutcome::done);
  EXPECT_EQ(progress.count(State::finished), 6U);
}

TEST_F(GrowingProgress, AnEmptyListIsDoneAtOnce) {
  take_and_finish("split");
  grow_by({});
  take_and_finish("collect");
  EXPECT_EQ(progress.outcome(), PlanOutcome::done);
}

TEST_F(GrowingProgress, AFailureOfTheStageThatDecidesBlocksAllBehindIt) {
  progress.failed(*progress.take_ready(), false);
  EXPECT_EQ(of("collect"), State::blocked);
  EXPECT_EQ(progress.state_of_undecided(1), State::blocked);
  EXPECT_EQ(progress.state_of_undecided(2), State::blocked);
  EXPECT_TRUE(progress.complete());
}

TEST_F(GrowingProgress, WhenTheStageThatDecidesIsSkippedAllBehindItIs) {
  progress.skipped(*progress.take_ready());
  EXPECT_EQ(of("collect"), State::skipped);
  EXPECT_EQ(progress.state_of_undecided(2), State::skipped);
  EXPECT_EQ(progress.outcome(), PlanOutcome::done);
}

TEST_F(GrowingProgress, AStageThatBrokeMeanwhileBlocksWhatIsDecidedLater) {
  now = plan({command("split"), command("other"), command("fit", {"split", "other"}, parts()),
              command("collect", {"fit"})});
  progress = Progress(now, {});
  take_and_finish("split");
  progress.failed(*progress.take_ready(), false);
  EXPECT_EQ(of("collect"), State::blocked);
  grow_by({"a", "b"});
  EXPECT_EQ(of("fit", 3), State::blocked);
  EXPECT_TRUE(progress.complete());
}

}  // namespace
}  // namespace kernmill::testing
