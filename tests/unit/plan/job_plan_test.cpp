#include "kernmill/plan/job_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conductor_world.hpp"

namespace kernmill {
namespace {

using testing::command_stage;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::plan_of_stages;
using testing::with_instances;
using Kind = ArrayPlan::Wait::Kind;
using Wait = ArrayPlan::Wait;

std::vector<std::string> summary(const std::vector<ArrayPlan>& arrays) {
  std::vector<std::string> lines;
  for (const ArrayPlan& array : arrays) {
    std::string line = array.key + " [" + array.element_indices().text() + "]";
    for (const Wait& wait : array.waits) line += " " + std::string(to_string(wait.kind)) + ":" + wait.array;
    lines.push_back(line);
  }
  return lines;
}

TEST(JobPlan, OneJobForAStageOfOneInstance) {
  const auto jobs = plan_jobs(plan_of_stages({command_stage("a"), command_stage("b", {"a"})}), {});
  EXPECT_THAT(summary(jobs), ElementsAre("a.0 [0]", "b.0 [0] afterok:a.0"));
  EXPECT_FALSE(jobs[0].is_array);
}

TEST(JobPlan, ElementsFollowElementsOfTheSameMatrix) {
  const auto jobs =
      plan_jobs(plan_of_stages({with_instances(command_stage("a"), 5),
                                with_instances(command_stage("b", {"a"}), 5), command_stage("c", {"b"})}),
                {});
  EXPECT_THAT(summary(jobs), ElementsAre("a.0 [0-4]", "b.0 [0-4] aftercorr:a.0", "c.0 [0] afterok:b.0"));
  EXPECT_TRUE(jobs[1].is_array);
}

TEST(JobPlan, LargeStagesBecomeSeveralArraysWithIndicesBelowTheLimit) {
  const auto jobs = plan_jobs(
      plan_of_stages({with_instances(command_stage("a"), 25), with_instances(command_stage("b", {"a"}), 25)}),
      {.max_array_size = 10});
  EXPECT_THAT(summary(jobs), ElementsAre("a.0 [0-9]", "a.1 [0-9]", "a.2 [0-4]", "b.0 [0-9] aftercorr:a.0",
                                         "b.1 [0-9] aftercorr:a.1", "b.2 [0-4] aftercorr:a.2"));
  EXPECT_EQ(jobs[2].instances_of(4).text(), "24");
  EXPECT_EQ(jobs[1].element_of(17), 7U);
}

TEST(JobPlan, OnlyWhatIsNeededIsSubmittedAndWaitedFor) {
  const Plan plan =
      plan_of_stages({with_instances(command_stage("a"), 6), with_instances(command_stage("b", {"a"}), 6)});
  JobPlanOptions options;
  // a[0], a[1], a[3] have committed; so has b[0].
  options.needed = [](InstanceId id) { return id.stage == 0 ? id.index == 2 || id.index > 3 : id.index > 0; };
  options.next_attempt = [](InstanceId id) { return id.index == 4 ? 3U : 1U; };
  const auto jobs = plan_jobs(plan, options);
  EXPECT_THAT(summary(jobs), ElementsAre("a.0 [2,4-5]", "b.0 [1,3]", "b.1 [2,4-5] aftercorr:a.0"));
  EXPECT_EQ(jobs[0].attempt, 3U);
  EXPECT_EQ(jobs[1].attempt, 1U);
}

TEST(JobPlan, WhereFailuresAreAllowedTheJobLooksForItself) {
  Stage lenient = with_instances(command_stage("a"), 4);
  lenient.max_fails = 1;
  const auto jobs = plan_jobs(plan_of_stages({lenient, command_stage("b", {"a"})}), {});
  EXPECT_THAT(summary(jobs), ElementsAre("a.0 [0-3]", "b.0 [0] afterany:a.0"));
}

TEST(JobPlan, ACollectorGoesOnWithoutTheSkippedOnes) {
  Stage gated = with_instances(command_stage("a"), 4);
  gated.when = "${{ matrix.i > 1 }}";
  const auto jobs = plan_jobs(
      plan_of_stages({gated, with_instances(command_stage("b", {"a"}), 4), command_stage("c", {"b"})}), {});
  EXPECT_THAT(summary(jobs), ElementsAre("a.0 [0-3]", "b.0 [0-3] aftercorr:a.0", "c.0 [0] afterany:b.0"));
}

TEST(JobPlan, DifferentResourcesAreDifferentArrays) {
  Stage stage = with_instances(command_stage("a"), 4);
  stage.resources = {{"ntasks", "${{ 1 + matrix.i / 2 }}"}};
  stage.matrix.axes[0].values = {0, 2, 0, 2};
  const auto jobs = plan_jobs(plan_of_stages({stage}), {});
  EXPECT_THAT(summary(jobs), ElementsAre("a.0 [0,2]", "a.1 [1,3]"));
  EXPECT_EQ(jobs[0].resources.ntasks, 1);
  EXPECT_EQ(jobs[1].resources.ntasks, 2);
}

TEST(JobPlan, EdgesBetweenDifferentCutsLeaveTheDecisionToTheJob) {
  Stage a = with_instances(command_stage("a"), 4), b = with_instances(command_stage("b", {"a"}), 4);
  a.matrix.axes[0].values = b.matrix.axes[0].values = {0, 2, 0, 2};
  a.resources = {{"ntasks", "${{ 1 + matrix.i / 2 }}"}};
  const auto jobs = plan_jobs(plan_of_stages({a, b}), {});
  EXPECT_THAT(summary(jobs), ElementsAre("a.0 [0,2]", "a.1 [1,3]", "b.0 [0-3] afterany:a.0 afterany:a.1"));
}

TEST(JobPlan, ABoundOnTheStageIsSharedByItsArrays) {
  Stage stage = with_instances(command_stage("a"), 25);
  stage.max_parallel = 7;
  const auto jobs = plan_jobs(plan_of_stages({stage}), {.max_array_size = 10});
  EXPECT_EQ(jobs[0].max_parallel + jobs[1].max_parallel + jobs[2].max_parallel, 7U);
  stage.max_parallel = 2;
  const auto chained = plan_jobs(plan_of_stages({stage}), {.max_array_size = 10});
  EXPECT_THAT(chained[0].waits, IsEmpty());
  EXPECT_THAT(chained[1].waits, IsEmpty());
  EXPECT_THAT(chained[2].waits, ElementsAre(Wait{"a.0", Kind::end}));
}

TEST(JobPlan, LiveJobsOfEarlierGenerationsAreWaitedFor) {
  JobPlanOptions options;
  options.needed = [](InstanceId id) { return id.stage == 1; };
  options.live_jobs = [](std::uint32_t stage) {
    return stage == 0 ? std::vector<std::string>{"77"} : std::vector<std::string>{};
  };
  const auto jobs = plan_jobs(plan_of_stages({command_stage("a"), command_stage("b", {"a"})}), options);
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_THAT(jobs[0].after_jobs, ElementsAre("77"));
}

TEST(JobPlan, IsReadBackFromTheJournal) {
  Stage stage = with_instances(command_stage("b", {"a"}), 30);
  stage.resources = {{"ntasks", 2}, {"mem", "2G"}, {"time", "90m"}, {"nodes", "1-2"}, {"partition", "long"}};
  const Plan plan = plan_of_stages({command_stage("a"), stage});
  for (const ArrayPlan& array : plan_jobs(plan, {.max_array_size = 7})) {
    const Json json = to_json(array, plan);
    EXPECT_EQ(to_json(array_from_json(json, plan), plan), json);
  }
}

TEST(JobPlan, AMillionInstancesAreAFewRanges) {
  const Plan plan = plan_of_stages({with_instances(command_stage("a"), 100'000)});
  const auto jobs = plan_jobs(plan, {.max_array_size = 100'001});
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].instances.ranges().size(), 1U);
}

}  // namespace
}  // namespace kernmill
