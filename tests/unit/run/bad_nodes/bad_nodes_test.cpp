// Which nodes are to blame, and which of them a job can do without.
#include "kernmill/run/bad_nodes/bad_nodes.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/base/timestamp.hpp"
#include "kernmill/run/bad_nodes/bad_nodes_folder.hpp"
#include "kernmill/run/journal/events.hpp"
#include "temporary_directory.hpp"

namespace kernmill {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using End = NodeAttempt::End;

/// A moment, in minutes.
TimePoint at(int minute) {
  return TimePoint(hours(1'000'000)) + minutes(minute);
}

NodeAttempt fails(const std::string& node, unsigned instance, int minute) {
  return {node, "fit", instance, End::failed, at(minute)};
}
NodeAttempt succeeds(const std::string& node, unsigned instance, int minute) {
  return {node, "fit", instance, End::committed, at(minute)};
}

std::vector<std::string> names(const std::vector<BadNode>& bad) {
  std::vector<std::string> result;
  for (const BadNode& one : bad) result.push_back(one.node);
  return result;
}

std::vector<std::string> bad_at(int minute, const std::vector<NodeAttempt>& attempts) {
  return names(bad_nodes(attempts, {}, at(minute)));
}

TEST(BadNodes, AreThoseThatHaveFailedForAnHour) {
  const std::vector<NodeAttempt> attempts{{"n3", "fit", 0, End::node_failed, at(10)}};
  EXPECT_THAT(bad_at(11, attempts), ElementsAre("n3"));
  EXPECT_THAT(bad_at(69, attempts), ElementsAre("n3"));
  EXPECT_THAT(bad_at(70, attempts), IsEmpty());
  EXPECT_EQ(bad_nodes(attempts, {}, at(11)).front().why, "it failed under fit[0]");
}

TEST(BadNodes, AreThoseThatSeveralInstancesFailOnAlone) {
  const auto bad = bad_nodes({fails("n2", 4, 1), fails("n2", 7, 5), succeeds("n1", 0, 2)}, {}, at(6));
  ASSERT_THAT(names(bad), ElementsAre("n2"));
  EXPECT_EQ(bad.front().why, "fit[4] and fit[7] failed there and nowhere else");
  EXPECT_EQ(bad.front().until, at(65)) << "an hour from the last of them";
}

TEST(BadNodes, NeedMoreThanOneInstance) {
  EXPECT_THAT(bad_at(6, {fails("n2", 4, 1), fails("n2", 4, 5), succeeds("n1", 0, 2)}), IsEmpty());
}

TEST(BadNodes, AreNotBlamedForAProgramThatFailsEverywhere) {
  EXPECT_THAT(bad_at(6, {fails("n2", 4, 1), fails("n2", 7, 5)}), IsEmpty()) << "nothing has succeeded";
  EXPECT_THAT(bad_at(6, {fails("n2", 4, 1), fails("n3", 4, 2), fails("n2", 7, 3), succeeds("n1", 0, 2)}),
              IsEmpty())
      << "fit[4] fails on n3, too";
}

TEST(BadNodes, AreForgivenWhenTheStageSucceedsOnThemLater) {
  const std::vector<NodeAttempt> before{succeeds("n2", 9, 0), fails("n2", 4, 1), fails("n2", 7, 5),
                                        succeeds("n1", 4, 6)};
  EXPECT_THAT(bad_at(7, before), ElementsAre("n2"));
  auto after = before;
  after.push_back(succeeds("n2", 8, 6));
  EXPECT_THAT(bad_at(7, after), IsEmpty());
}

TEST(BadNodes, AreJudgedStageByStage) {
  EXPECT_THAT(bad_at(6, {fails("n2", 4, 1),
                         fails("n2", 7, 5),
                         {"n1", "score", 0, End::committed, at(2)},
                         {"n2", "score", 1, End::committed, at(5)}}),
              IsEmpty())
      << "fit may need what no node has";
}

TEST(BadNodes, AreAvoidedForAsLongAsTheWorkflowSays) {
  const std::vector<NodeAttempt> attempts{{"n3", "fit", 0, End::node_failed, at(10)}};
  EXPECT_THAT(bad_nodes(attempts, {.avoid_for = minutes(5)}, at(16)), IsEmpty());
  EXPECT_THAT(bad_nodes(attempts, {.avoid_for = std::chrono::seconds(0)}, at(10)), IsEmpty());
}

TEST(Merged, NamesEachNodeOnceNewestFirst) {
  EXPECT_THAT(names(merged({{"n1", "", at(1)}, {"n2", "", at(5)}}, {{"n1", "later", at(9)}})),
              ElementsAre("n1", "n2"));
}

AttemptRecord ended(unsigned number, const std::string& node, AttemptState state, Cause cause) {
  AttemptRecord attempt;
  attempt.number = number;
  attempt.node = node;
  attempt.state = state;
  attempt.cause = cause;
  attempt.ended_at = "2026-11-21T04:05:06.123Z";
  return attempt;
}

TEST(NodeAttempts, AreThoseThatSaySomethingOfTheirNode) {
  RunRecord record;
  auto& attempts = record.instances[{"fit", 3}].attempts;
  attempts = {ended(1, "n1", AttemptState::retrying, Cause::oom),
              ended(2, "n1", AttemptState::retrying, Cause::timeout),
              ended(3, "n1", AttemptState::stopped, Cause::cancelled),
              ended(4, "n1", AttemptState::abandoned, Cause::error),
              ended(5, "", AttemptState::failed, Cause::error),
              ended(6, "n2", AttemptState::retrying, Cause::stalled),
              ended(7, "n3", AttemptState::abandoned, Cause::node_fail),
              ended(8, "n4", AttemptState::committed, Cause::error),
              ended(9, "n4", AttemptState::abandoned, Cause::node_fail)};
  attempts[6].failed_node = "n5";
  const auto found = node_attempts(record);
  ASSERT_THAT(found, SizeIs(3));
  EXPECT_EQ(found[0].end, End::failed);
  EXPECT_EQ(found[1].end, End::node_failed);
  EXPECT_EQ(found[1].node, "n5") << "of several, it is that one which failed";
  EXPECT_EQ(found[2].end, End::committed);
  EXPECT_EQ(utc_timestamp(found[0].when), "2026-11-21T04:05:06.123Z");
}

/// Four nodes of four cores; n4 is down.
ClusterFacts four_nodes() {
  ClusterFacts facts;
  ClusterFacts::Partition partition;
  partition.name = "main";
  partition.is_default = true;
  for (const char* name : {"n1", "n2", "n3", "n4"}) {
    ClusterFacts::Node node;
    node.name = name;
    node.cpus = 4;
    node.mem = std::uint64_t{4} << 30;
    node.is_down = node.name == "n4";
    facts.nodes.push_back(node);
    partition.nodes.push_back(node.name);
  }
  facts.partitions.push_back(partition);
  return facts;
}

std::vector<BadNode> bad(const std::vector<std::string>& nodes) {
  std::vector<BadNode> result;
  int minute = 100;
  for (const std::string& node : nodes) result.push_back({node, "because", at(--minute)});
  return result;
}

TEST(Avoid, AddsToWhatTheJobExcludesItself) {
  Resources asked;
  asked.exclude = "n1";
  const Avoidance found = avoid(bad({"n2", "n1"}), asked, Stage{}, four_nodes());
  EXPECT_EQ(found.exclude, "n1,n2");
  EXPECT_THAT(names(found.avoided), ElementsAre("n2"));
}

TEST(Avoid, LeavesTheJobNodesToRunOnAndForgivesTheOldestFirst) {
  Resources asked;
  const Avoidance one = avoid(bad({"n2", "n3", "n1"}), asked, Stage{}, four_nodes());
  EXPECT_EQ(one.exclude, "n2,n3") << "n4 is down: the job would wait for it";
  EXPECT_THAT(names(one.needed), ElementsAre("n1"));
  asked.nodes_min = asked.nodes_max = 4;
  const Avoidance all = avoid(bad({"n2", "n3", "n1"}), asked, Stage{}, four_nodes());
  EXPECT_EQ(all.exclude, "");
  EXPECT_THAT(names(all.needed), ElementsAre("n2", "n3", "n1"));
}

TEST(Avoid, LeavesAloneWhatTheClusterDoesNotHaveAndJobsThatNameTheirNodes) {
  EXPECT_EQ(avoid(bad({"gone"}), Resources{}, Stage{}, four_nodes()).exclude, "");
  Resources asked;
  asked.slurm_extra.options = {{"nodelist", "n2"}};
  EXPECT_EQ(avoid(bad({"n2"}), asked, Stage{}, four_nodes()).exclude, "");
  EXPECT_EQ(avoid(bad({"n2"}), Resources{}, Stage{}, ClusterFacts{}).exclude, "n2")
      << "a cluster that says nothing of its nodes";
}

TEST(AvoidIn, TellsOfEachNodeOnce) {
  Workflow workflow;
  workflow.stages.resize(1);
  workflow.stages[0].name = "fit";
  const Plan plan(workflow);
  std::vector<ArrayPlan> arrays(2);
  EXPECT_THAT(avoid_in(arrays, bad({"n2"}), plan, four_nodes()), ElementsAre(HasSubstr("avoids n2 until ")));
  EXPECT_EQ(arrays[1].resources.exclude, "n2");
}

TEST(BadNodesFolder, TellsOtherRunsOnTheSameCluster) {
  const testing::TemporaryDirectory place;
  const auto folder = bad_nodes_folder(place.path().string(), "/nowhere");
  write_bad_nodes(folder, "a-1", "big", {{"n2", "it failed under fit[0]", at(60)}});
  write_bad_nodes(folder, "b-1", "big", {{"n2", "", at(30)}, {"n3", "", at(30)}});
  write_bad_nodes(folder, "c-1", "other", {{"n9", "", at(60)}});
  const auto found = read_bad_nodes(folder, "big", at(10));
  EXPECT_THAT(names(found), ElementsAre("n2", "n3"));
  EXPECT_EQ(found.front().why, "it failed under fit[0], in a-1");
  EXPECT_THAT(names(read_bad_nodes(folder, "big", at(45))), ElementsAre("n2"));
  write_bad_nodes(folder, "a-1", "big", {});
  EXPECT_THAT(names(read_bad_nodes(folder, "big", at(10))), ElementsAre("n2", "n3"));
}

TEST(BadNodesFolder, BelievesNothingThatOthersMayHaveWritten) {
  const testing::TemporaryDirectory place;
  write_bad_nodes(place.path(), "a-1", "big", {{"n2", "", at(60)}});
  const auto file = place.path() / "a-1.json";
  std::filesystem::permissions(file, std::filesystem::perms::others_write,
                               std::filesystem::perm_options::add);
  EXPECT_THAT(read_bad_nodes(place.path(), "big", at(10)), IsEmpty());
  EXPECT_TRUE(std::filesystem::exists(file)) << "it may be a colleague's";
}

TEST(BadNodesFolder, IsRidOfWhatIsOldAndSurvivesWhatIsBroken) {
  const testing::TemporaryDirectory place;
  write_bad_nodes(place.path(), "a-1", "big", {{"n2", "", at(60)}});
  std::ofstream(place.path() / "broken.json") << "{\"nodes\": [{\"node\": 7}]}";
  std::ofstream(place.path() / "cut.json") << "{\"nodes\": [{\"no";
  EXPECT_THAT(names(read_bad_nodes(place.path(), "big", at(10))), ElementsAre("n2"));
  EXPECT_THAT(read_bad_nodes(place.path(), "big", at(60) + hours(25)), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(place.path() / "a-1.json"));
  EXPECT_THAT(read_bad_nodes(place.path() / "none", "big", at(0)), IsEmpty());
  EXPECT_EQ(bad_nodes_folder("", "/home/ada"), "/home/ada/.local/state/kernmill/bad-nodes");
}

}  // namespace
}  // namespace kernmill
