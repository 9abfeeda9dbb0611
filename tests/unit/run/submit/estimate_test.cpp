#include "kernmill/run/submit/estimate.hpp"

#include <gmock/gmock.h>

#include "fake_cluster.hpp"
#include "plan_support.hpp"

namespace kernmill::testing {
namespace {

using kernmill::testing::FakeCluster;
using kernmill::testing::option_of;
using std::chrono::hours;
using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::Optional;

Stage asking(Stage stage, Json resources) {
  stage.resources = std::move(resources);
  return stage;
}

BatchJob named(const ArrayPlan& array) {
  return {.script = "", .env = {}, .options = {{"job-name", array.key}}};
}

ClusterFacts facts() {
  ClusterFacts facts;
  facts.max_array_size = 100;
  ClusterFacts::Partition main;
  main.name = "main";
  main.is_default = true;
  ClusterFacts::Partition short_ = main;
  short_.name = "short";
  short_.is_default = false;
  short_.max_time = hours(4);
  facts.partitions = {main, short_};
  return facts;
}

std::vector<StageEstimate> estimated(const Plan& made, const ClusterFacts& facts, FakeCluster& cluster) {
  return estimate(made, plan_jobs(made, {.max_array_size = facts.max_array_size}), facts, cluster, named);
}

TEST(Estimate, MultipliesInstancesCoresAndTime) {
  FakeCluster cluster;
  const Plan made = plan(
      {asking(command("s", {}, one_axis(1000)), {{"ntasks", 2}, {"cpus_per_task", 3}, {"time", "30m"}})});
  const auto stages = estimated(made, facts(), cluster);
  EXPECT_EQ(stages[0].instances, 1000u);
  EXPECT_THAT(stages[0].core_hours, Optional(DoubleEq(3000)));
  EXPECT_THAT(total_core_hours(stages), Optional(DoubleEq(3000)));
}

TEST(Estimate, TakesTheTimeThatThePartitionGives) {
  FakeCluster cluster;
  const Plan made = plan({asking(command("s"), {{"partition", "short"}})});
  ClusterFacts with = facts();
  EXPECT_THAT(estimated(made, with, cluster)[0].core_hours, Optional(DoubleEq(4)));
  with.partitions[1].default_time = hours(1);
  EXPECT_THAT(estimated(made, with, cluster)[0].core_hours, Optional(DoubleEq(1)));
}

TEST(Estimate, HasNoBoundWithoutATimeLimit) {
  FakeCluster cluster;
  const auto stages =
      estimated(plan({asking(command("a"), {{"time", "1h"}}), command("b")}), facts(), cluster);
  EXPECT_THAT(stages[0].core_hours, Optional(DoubleEq(1)));
  EXPECT_EQ(stages[1].core_hours, std::nullopt);
  EXPECT_EQ(total_core_hours(stages), std::nullopt);
}

TEST(Estimate, AsksForTheFirstJobOfEachStageThatWaitsForNone) {
  FakeCluster cluster;
  std::vector<std::string> asked;
  const auto soon = std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
  cluster.start_of = [&](const BatchJob& job) {
    asked.push_back(option_of(job, "job-name"));
    return std::optional(soon);
  };
  const Plan made = plan({command("a", {}, one_axis(250)), command("b"), command("c", {"a", "b"})});
  const auto stages = estimated(made, facts(), cluster);
  EXPECT_THAT(asked, ElementsAre("a.0", "b.0"));
  EXPECT_EQ(stages[0].start, soon);
  EXPECT_EQ(stages[2].start, std::nullopt);
  EXPECT_EQ(stages[2].no_start, "");
}

TEST(Estimate, KeepsWhyThereIsNoStart) {
  FakeCluster cluster;
  cluster.start_of = [](const BatchJob&) -> std::optional<std::chrono::system_clock::time_point> {
    throw ClusterError(ClusterError::Kind::rejected, "it asks for too much");
  };
  const auto stages = estimated(plan({command("a")}), facts(), cluster);
  EXPECT_EQ(stages[0].start, std::nullopt);
  EXPECT_EQ(stages[0].no_start, "it asks for too much");
}

}  // namespace
}  // namespace kernmill::testing
