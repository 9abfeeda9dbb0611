#include "kernmill/run/journal/handover.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

#include "conductor_world.hpp"

namespace kernmill::testing {
namespace {

CommitTable all_committed(const Plan& plan, std::uint32_t stage) {
  CommitTable commits(plan);
  for (std::uint32_t i = 0; i < plan.instance_count(stage); ++i)
    commits.add({stage, i}, {{{"model", "/m" + std::to_string(i), 7, "ab"}}, {{"loss", i}}});
  return commits;
}

Plan two_stages(int count) {
  return plan_of_stages(
      {with_instances(command_stage("a"), count), with_instances(command_stage("b", {"a"}), count)});
}

TEST(Handover, IsWhatTheInstanceRefersToAndNoMore) {
  const Plan plan = two_stages(50);
  const RunRecord record = fold_lines(handover(plan, {{1, 7}}, all_committed(plan, 0)), "handed over");
  ASSERT_EQ(record.instances.size(), 1U);
  const InstanceRecord* parent = record.find("a", 7);
  ASSERT_NE(parent, nullptr);
  EXPECT_TRUE(parent->committed);
  EXPECT_EQ(parent->metrics, Json({{"loss", 7}}));
  ASSERT_EQ(parent->artifacts.size(), 1U);
  EXPECT_EQ(parent->artifacts[0].path, "/m7");
}

TEST(Handover, IsAsLongInALargeRunAsInASmallOne) {
  const Plan small = two_stages(10), large = two_stages(10'000);
  EXPECT_EQ(handover(small, {{1, 7}}, all_committed(small, 0)).size(),
            handover(large, {{1, 7}}, all_committed(large, 0)).size());
}

TEST(Handover, OfAPlanIsReadBackFromItsFirstLine) {
  const Plan plan = two_stages(10);
  const std::string lines =
      handover_of_plan(to_json(plan)) + handover(plan, {{1, 4}}, all_committed(plan, 0));
  EXPECT_EQ(to_json(handed_plan_in(lines)), to_json(plan));
  EXPECT_NE(fold_lines(lines, "handed over").find("a", 4), nullptr);
  EXPECT_THROW((void)handed_plan_in(handover(plan, {{1, 4}}, all_committed(plan, 0))), std::invalid_argument);
  EXPECT_THROW((void)handed_plan_in(""), std::invalid_argument);
}

TEST(Handover, OfAPackNamesAParentOfAllOfThemOnce) {
  const Plan plan = plan_of_stages({command_stage("a"), with_instances(command_stage("b", {"a"}), 9)});
  const std::string one = handover(plan, {{1, 0}}, all_committed(plan, 0));
  EXPECT_EQ(handover(plan, {{1, 0}, {1, 1}, {1, 2}}, all_committed(plan, 0)).size(), one.size());
}

TEST(Handover, SaysWhatIsInThePackInFrontOfTheCommits) {
  HandedPack pack{3, true, {{4, 2, 1, true, true, 1.5}, {5}}};
  const Plan plan = two_stages(10);
  const std::string lines = to_line(pack) + handover(plan, {{1, 4}, {1, 5}}, all_committed(plan, 0));
  const HandedPack read = handed_pack_in(lines);
  EXPECT_EQ(read.slots, 3U);
  EXPECT_TRUE(read.fail_fast);
  ASSERT_EQ(read.instances.size(), 2U);
  EXPECT_EQ(read.instances[0].index, 4U);
  EXPECT_EQ(read.instances[0].attempt, 2U);
  EXPECT_EQ(read.instances[0].failures, 1);
  EXPECT_TRUE(read.instances[0].out_of_memory && read.instances[0].started_before);
  EXPECT_EQ(read.instances[0].time, 1.5);
  EXPECT_EQ(fold_lines(lines, "handed over").instances.size(), 2U);
}

TEST(Handover, WithoutAPackIsRefusedWhereOneIsMeant) {
  EXPECT_THROW(handed_pack_in(""), std::invalid_argument);
  EXPECT_THROW(handed_pack_in(R"({"v":1,"event":"started"})"), std::invalid_argument);
}

}  // namespace
}  // namespace kernmill::testing
