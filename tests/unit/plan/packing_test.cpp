#include "kernmill/plan/packing.hpp"

#include <gtest/gtest.h>

#include "conductor_world.hpp"

namespace kernmill {
namespace {

using testing::command_stage;
using testing::plan_of_stages;
using testing::with_instances;

Stage packed(int instances, int pack) {
  Stage stage = with_instances(command_stage("a"), instances);
  stage.pack = pack;
  return stage;
}

TEST(Packing, PutsSoManyInstancesIntoAnElement) {
  const auto jobs = plan_jobs(plan_of_stages({packed(10, 4)}), {.node_cpus = 2, .nodes = 3});
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].element_indices().text(), "0-2");
  EXPECT_EQ(jobs[0].slots, 2U);
  EXPECT_EQ(jobs[0].instances_of(2).text(), "8-9");
  EXPECT_EQ(jobs[0].element_of(7), 1U);
}

TEST(Packing, AutomaticallyMakesTensOfElementsOfHundredsOfThousands) {
  const auto jobs = plan_jobs(plan_of_stages({packed(200'000, 0)}), {.node_cpus = 4, .nodes = 500});
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].elements(), 64U);
  EXPECT_EQ(jobs[0].slots, 4U);
}

TEST(Packing, AutomaticallyLeavesAFewInstancesAlone) {
  const auto jobs = plan_jobs(plan_of_stages({packed(3, 0)}), {.node_cpus = 4, .nodes = 8});
  EXPECT_LE(jobs[0].elements(), 3U);
  EXPECT_EQ(jobs[0].instances.size(), 3U);
}

TEST(Packing, AutomaticallyStaysWithinThePartitionsTimeLimit) {
  Stage stage = packed(1000, 0);
  stage.resources = {{"time", "10m"}};
  const auto jobs =
      plan_jobs(plan_of_stages({stage}), {.node_cpus = 4, .nodes = 2, .max_time = std::chrono::hours(1)});
  EXPECT_EQ(jobs[0].pack, 24U);  // four slots, six rounds of ten minutes
  EXPECT_EQ(jobs[0].resources.time, std::chrono::hours(1));
}

TEST(Packing, TheElementAsksForWhatAllItsSlotsNeed) {
  Resources resources;
  resources.ntasks = 2;
  resources.cpus_per_task = 3;
  resources.mem = 1 << 20;
  resources.time = std::chrono::minutes(5);
  resources.gpus_per_task = "a100:1";
  const Resources element = for_pack(resources, {10, 4});
  EXPECT_EQ(element.ntasks, 1);
  EXPECT_EQ(element.cpus_per_task, 24);
  EXPECT_EQ(element.nodes_max, 1);
  EXPECT_EQ(element.mem, 4U << 20);
  EXPECT_EQ(element.time, std::chrono::minutes(15));
  EXPECT_EQ(element.gpus_per_node, "a100:8");
  EXPECT_EQ(element.gpus_per_task, "");
}

TEST(Packing, MemoryLimitsTheSlots) {
  Stage stage = packed(100, 50);
  stage.resources = {{"mem", "3G"}};
  const auto jobs = plan_jobs(plan_of_stages({stage}), {.node_cpus = 16, .node_mem = 8ULL << 30, .nodes = 2});
  EXPECT_EQ(jobs[0].slots, 2U);
}

TEST(Packing, InstancesOfSeveralNodesAreNotPacked) {
  Stage stage = packed(100, 50);
  stage.resources = {{"nodes", 2}};
  EXPECT_EQ(plan_jobs(plan_of_stages({stage}), {.node_cpus = 16, .nodes = 2})[0].pack, 1U);
}

}  // namespace
}  // namespace kernmill
