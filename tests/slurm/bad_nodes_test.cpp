// Nodes that attempts fail on, on a real cluster of several.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/os/durable_file.hpp"
#include "submit_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// Fails on n2 until the file `mended` is there. Each instance takes a whole node, so that all nodes are
/// used.
const std::string fails_on_n2 =
    "matrix: {i: [0, 1, 2, 3, 4, 5, 6, 7]}, resources: {cpus_per_task: 4, mem: 50M},\n"
    "    run: 'echo $SLURMD_NODENAME >> nodes; sleep 1; test $SLURMD_NODENAME != n2 || test -e mended'}\n";

std::vector<std::string> nodes_of(const RunRecord& record, const std::string& stage, unsigned index) {
  std::vector<std::string> nodes;
  for (const AttemptRecord& attempt : record.find(stage, index)->attempts) nodes.push_back(attempt.node);
  return nodes;
}

TEST(SlurmBadNodes, NextAttemptsAvoidANodeThatSeveralInstancesFailOn) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow("  fit: {retries: {max: 20, on: [error]}, " + fails_on_n2);
  world.submit();
  EXPECT_EQ(world.outcome(std::chrono::seconds(240)), "done");
  const RunRecord record = world.record();
  std::size_t failures = 0;
  for (unsigned i = 0; i < 8; ++i) {
    const auto nodes = nodes_of(record, "fit", i);
    EXPECT_NE(nodes.back(), "n2");
    failures += nodes.size() - 1;
  }
  EXPECT_GE(failures, 2u) << "n2 was used at first";
  EXPECT_THAT(world.kernmill({"explain"}).out, AllOf(HasSubstr("the next attempts avoid n2 until "),
                                                     HasSubstr("failed there and nowhere else")));
}

TEST(SlurmBadNodes, ResumeAvoidsThemAndSaysSo) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow("  fit: {" + fails_on_n2);
  world.submit();
  EXPECT_EQ(world.outcome(), "failed");
  const Finished resumed = world.kernmill({"resume"});
  EXPECT_THAT(resumed.err, HasSubstr("avoids n2 until "));
  const std::string job = world.record().generations.at(2).arrays.begin()->second.job;
  EXPECT_THAT(world.slurm().run({"scontrol", "show", "job", job}), HasSubstr("ExcNodeList=n2"));
  wait_until("the second end", [&] { return world.record().outcome == "done"; });
}

TEST(SlurmBadNodes, OtherRunsOfTheUserAvoidThemWhereTheSiteSaysSo) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  write_file_durably(world.path() / "site.yaml", "bad_nodes: {keep: user, for: 30m}\n");
  const std::vector<std::pair<std::string, std::string>> environment{
      {"KERNMILL_SITE", (world.path() / "site.yaml").string()},
      {"XDG_STATE_HOME", (world.path() / "state").string()}};
  world.workflow("  fit: {" + fails_on_n2);
  ASSERT_EQ(world.kernmill({"submit", "flow.yaml"}, environment).exit_code, 0);
  EXPECT_EQ(world.outcome(), "failed");
  const auto is_told = [&] { return std::filesystem::exists(world.path() / "state/kernmill/bad-nodes"); };
  wait_until("the word to other runs", is_told);
  world.workflow("  other: {matrix: {i: [0, 1, 2, 3, 4, 5]}, run: 'test $SLURMD_NODENAME != n2'}\n");
  const std::string first = world.run().name();
  const Finished second = world.kernmill({"submit", "flow.yaml"}, environment);
  EXPECT_THAT(second.err, AllOf(HasSubstr("avoids n2 until "), HasSubstr(first)));
  EXPECT_EQ(world.outcome(), "done");
}

TEST(SlurmBadNodes, ANodeThatWentDownIsToBlame) {
  KERNMILL_NEEDS_SLURM();
  if (!is_long()) GTEST_SKIP() << "takes a minute: ./dev test --long";
  SubmitWorld world({.extra = "SlurmdTimeout=5"});
  world.workflow(R"(
  one: {run: 'test $KERNMILL_ATTEMPT = 2 || sleep 1000'}
  two: {needs: one, run: 'test -e go'}
)");
  world.submit();
  world.wait_for_start("one");
  const std::string node = world.record().find("one", 0)->attempts.front().node;
  ASSERT_FALSE(node.empty());
  world.slurm().cluster({"kill-node", node});
  EXPECT_EQ(world.outcome(std::chrono::seconds(180)), "failed");
  EXPECT_EQ(world.record().find("one", 0)->attempts.front().cause, Cause::node_fail);
  EXPECT_THAT(world.kernmill({"explain"}).out, HasSubstr("the next attempts avoid " + node + " until "));
  world.slurm().cluster({"start-node", node});
  world.slurm().run({"touch", "go"});
  EXPECT_THAT(world.kernmill({"resume"}).err, HasSubstr("avoids " + node));
  wait_until("the second end", [&] { return world.record().outcome == "done"; });
}

}  // namespace
}  // namespace kernmill::testing
