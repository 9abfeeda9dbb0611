#include "kernmill/run/cluster_check/cluster_check.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "kernmill/workflow/parse/parser.hpp"

namespace kernmill {
namespace {

using std::chrono::hours;
constexpr std::uint64_t gigabyte = 1ull << 30u;

ClusterFacts::Node node(const std::string& name, std::uint32_t cpus, std::uint64_t gigabytes,
                        std::vector<std::string> features = {}, std::string gres = {}) {
  return {name, cpus, gigabytes * gigabyte, std::move(features), std::move(gres), false};
}

ClusterFacts::Partition partition_of(const std::string& name, std::vector<std::string> nodes,
                                     std::chrono::seconds time) {
  ClusterFacts::Partition partition;
  partition.name = name;
  partition.nodes = std::move(nodes);
  partition.max_time = time;
  return partition;
}

/// cpu (default, 2 h): c1 c2 with 16 CPUs, c3 with 8. gpu (7 d): g1 with 4 a100, g2 with 2 v100. big (no
/// limit): b1.
ClusterFacts cluster() {
  ClusterFacts facts;
  facts.max_array_size = 1001;
  facts.nodes = {node("c1", 16, 64, {"amd", "ib"}),
                 node("c2", 16, 64, {"amd"}),
                 node("c3", 8, 32, {"intel"}),
                 node("g1", 32, 256, {"amd", "ib"}, "gpu:a100:4(S:0-1),nic:2"),
                 node("g2", 32, 128, {"intel"}, "gpu:v100:2"),
                 node("b1", 64, 1024)};
  facts.partitions = {partition_of("cpu", {"c1", "c2", "c3"}, hours(2)),
                      partition_of("gpu", {"g1", "g2"}, hours(7 * 24)),
                      partition_of("big", {"b1"}, std::chrono::seconds(0))};
  facts.partitions[0].is_default = true;
  facts.licenses = {{"matlab", 10}, {"abaqus", 2}};
  facts.reservations = {"course"};
  return facts;
}

/// The findings of a workflow, a line each: "line:column severity: message", and "> " with the help.
std::string findings(const std::string& text, const ClusterFacts& facts = cluster()) {
  Diagnostics parsed, found;
  const Files files{[](const auto&) { return true; },
                    [](const auto&, auto, auto) { return std::optional<std::string>(); }};
  Workflow workflow = parse_workflow({"/flows/test.yaml", text}, {}, files, parsed);
  EXPECT_TRUE(parsed.all().empty()) << render(parsed, false);
  check_against(Plan(std::move(workflow)), facts, found);
  std::string lines;
  for (const Diagnostic& one : found.all()) {
    const char* severity = one.severity == Diagnostic::Severity::error ? "error" : "warning";
    lines += fmt::format("{}:{} {}: {}\n", one.where.line, one.where.column, severity, one.message);
    if (!one.help.empty()) lines += "> " + one.help + "\n";
  }
  return lines;
}

/// The findings of a stage that asks for this; its values begin at column 19 of the lines from 4 on.
std::string asking(const std::string& resources, const ClusterFacts& facts = cluster()) {
  return findings("stages:\n  s:\n    run: ls\n    resources: {" + resources + "}\n", facts);
}

TEST(ClusterCheck, FindsNothingInWhatTheClusterHas) {
  EXPECT_EQ(asking(""), "");
  EXPECT_EQ(asking("nodes: 3, ntasks: 40, time: 2h, mem: 32G"), "");
  EXPECT_EQ(asking("nodes: 2-8, ntasks_per_node: 4, ntasks: 8, cpus_per_task: 2"), "");
  EXPECT_EQ(asking("partition: gpu, gpus_per_node: 'a100:4', constraint: amd&ib, gres: nic, time: 7-00"), "");
  EXPECT_EQ(asking("partition: gpu, gpus: 6, exclude: 'c[1-3]'"), "");
  EXPECT_EQ(asking("partition: 'cpu,big', ntasks: 1, cpus_per_task: 64, time: 30d"), "");
  EXPECT_EQ(asking("licenses: 'matlab:10,abaqus', reservation: course, account: any, qos: any"), "");
}

TEST(ClusterCheck, NamesThePartitionsThereAre) {
  EXPECT_EQ(
      asking("partition: gpuu"),
      "4:28 error: there is no partition 'gpuu'\n> did you mean 'gpu'? this cluster has cpu, gpu and big\n");
  EXPECT_EQ(asking("partition: night"),
            "4:28 error: there is no partition 'night'\n> this cluster has cpu, gpu and big\n");
}

TEST(ClusterCheck, WantsAPartitionWhereNoneIsTheDefault) {
  ClusterFacts facts = cluster();
  facts.partitions[0].is_default = false;
  EXPECT_EQ(asking("", facts),
            "2:3 error: stage 's': no partition is asked for, and this cluster has no default one\n"
            "> partition: NAME; it has cpu, gpu and big\n");
}

TEST(ClusterCheck, WarnsOfAPartitionThatIsNotUp) {
  ClusterFacts facts = cluster();
  facts.partitions[1].is_up = false;
  EXPECT_EQ(asking("partition: gpu", facts),
            "4:28 warning: jobs have to wait until partition 'gpu' is up again\n");
  EXPECT_EQ(asking("partition: 'gpu,cpu'", facts), "");
}

TEST(ClusterCheck, SaysWhatTimeIsAllowedAndWhere) {
  EXPECT_EQ(asking("time: 1d"),
            "4:23 error: a time limit of 1d is more than the 2h that partition 'cpu' allows\n"
            "> ask for at most 2h, or use partition gpu (7d) or big (unlimited)\n");
  EXPECT_EQ(
      asking("time: 1d, qos: long"),
      "4:23 warning: a time limit of 1d is more than the 2h that partition 'cpu' allows\n"
      "> ask for at most 2h, or use partition gpu (7d) or big (unlimited); a QOS may lift that limit\n");
}

TEST(ClusterCheck, CountsNodes) {
  EXPECT_EQ(asking("nodes: 4-9, ntasks: 4"),
            "4:24 error: 4 nodes are asked for, more than the 3 of partition 'cpu'\n");
  ClusterFacts facts = cluster();
  facts.partitions[0].max_nodes = 2;
  EXPECT_EQ(asking("nodes: 3, ntasks: 3", facts),
            "4:24 error: 3 nodes are asked for, more than the 2 that a job may have in partition 'cpu'\n");
  facts.partitions[0].max_nodes = 0;
  facts.partitions[0].min_nodes = 2;
  EXPECT_EQ(asking("nodes: 1", facts),
            "4:24 error: 1 node is asked for, fewer than the 2 that a job has to have in partition 'cpu'\n");
}

TEST(ClusterCheck, MeasuresWhatANodeHas) {
  EXPECT_EQ(asking("cpus_per_task: 32"),
            "4:32 error: 32 cores of a rank are asked for; the largest node of partition 'cpu' has 16\n"
            "> ask for at most 16, or use partition gpu (32 CPUs) or big (64 CPUs)\n");
  EXPECT_EQ(
      asking("ntasks: 16, ntasks_per_node: 8, cpus_per_task: 4"),
      "4:46 error: 8 ranks of 4 cores on a node need 32 CPUs; the largest node of partition 'cpu' has 16\n"
      "> ask for at most 4, or use partition gpu (32 CPUs) or big (64 CPUs)\n");
  EXPECT_EQ(
      asking("mem: 100G"),
      "4:22 error: 100G of memory on a node are asked for; the largest node of partition 'cpu' has 64G\n"
      "> ask for at most 64G, or use partition gpu (256G) or big (1T)\n");
  EXPECT_EQ(asking("cpus_per_task: 16, mem_per_cpu: 5G"),
            "4:49 error: 5G a core are 80G on a node; the largest node of partition 'cpu' has 64G\n"
            "> ask for at most 4G, or use partition gpu (256G) or big (1T)\n");
}

TEST(ClusterCheck, CountsTheRanksThatFit) {
  EXPECT_EQ(asking("ntasks: 41"),
            "4:25 error: 41 ranks are asked for, more than the 40 that fit on partition 'cpu'\n");
  EXPECT_EQ(asking("ntasks: 9, cpus_per_task: 4, nodes: 1-2"),
            "4:25 error: 9 ranks of 4 cores are asked for, more than the 8 that fit on 2 nodes of partition "
            "'cpu'\n");
}

TEST(ClusterCheck, LooksForNodesThatHaveEverythingAtOnce) {
  EXPECT_EQ(asking("nodes: 3, ntasks: 3, cpus_per_task: 16"),
            "4:24 error: 3 nodes are asked for with 16 CPUs; only 2 of partition 'cpu' have that\n");
  EXPECT_EQ(asking("partition: gpu, mem: 200G, gpus_per_node: 'v100:1'"),
            "4:38 error: a node is asked for with 1 CPU, 200G and 1 GPU of type v100; none of partition "
            "'gpu' have that\n");
}

TEST(ClusterCheck, KnowsTheGpus) {
  EXPECT_EQ(asking("gpus: 1"), "4:23 error: no node of partition 'cpu' has 1 GPU\n> use partition gpu (4)\n");
  EXPECT_EQ(asking("partition: gpu, gpus_per_node: 8"),
            "4:48 error: 8 GPUs of a node are asked for; the best node of partition 'gpu' has 4\n> ask for "
            "at most 4\n");
  EXPECT_EQ(asking("partition: gpu, gpus_per_node: 'a10:1'"),
            "4:48 error: no node of partition 'gpu' has 1 GPU of type a10\n"
            "> did you mean 'a100'? partition 'gpu' has a100 and v100\n");
  EXPECT_EQ(asking("partition: gpu, gpus: 7"),
            "4:39 error: 7 GPUs are asked for, more than the 6 of partition 'gpu'\n");
  EXPECT_EQ(asking("partition: gpu, ntasks: 4, ntasks_per_node: 4, gpus_per_task: 2"),
            "4:79 error: 8 GPUs of a node are asked for; the best node of partition 'gpu' has 4\n> ask for "
            "at most 4\n");
  EXPECT_EQ(asking("partition: gpu, ntasks: 4, gpus_per_task: 'v100:1'"),
            "4:41 error: 4 ranks are asked for, more than the 2 that fit on partition 'gpu'\n");
  EXPECT_EQ(asking("gres: 'fpga:1'"),
            "4:23 error: no node of partition 'cpu' has 1 fpga\n> nor has any other node of this cluster\n");
}

TEST(ClusterCheck, ReadsConstraints) {
  EXPECT_EQ(asking("constraint: amdd"),
            "4:29 error: no node has the feature 'amdd'\n> did you mean 'amd'? this cluster has amd, ib and "
            "intel\n");
  EXPECT_EQ(asking("constraint: intel&ib"),
            "4:29 error: no node of partition 'cpu' is 'intel&ib'\n> its nodes have amd, ib and intel\n");
  EXPECT_EQ(asking("constraint: '[intel|amd]&ib'"), "");
  EXPECT_EQ(asking("constraint: 'amd*2&intel*1', nodes: 3, ntasks: 3"), "");
  EXPECT_EQ(asking("constraint: intel, cpus_per_task: 16"),
            "4:51 error: 16 cores of a rank are asked for; the largest node of partition 'cpu' has 8\n"
            "> ask for at most 8, or use partition cpu (16 CPUs), gpu (32 CPUs) or big (64 CPUs)\n");
}

TEST(ClusterCheck, ReadsWhatIsExcluded) {
  EXPECT_EQ(asking("exclude: 'c[2-5]'"),
            "4:26 error: this cluster has no node c4 or c5\n> its nodes are c1, c2, c3, g1, g2 and b1\n");
  EXPECT_EQ(asking("exclude: 'c[1-3]'"), "4:26 error: every node of partition 'cpu' is excluded\n");
  EXPECT_EQ(asking("exclude: 'c[1-'"), "4:26 error: 'c[1-' is no list of nodes\n> exclude: n1,n[4-7]\n");
}

TEST(ClusterCheck, WarnsWhenEveryNodeThatWouldDoIsDown) {
  ClusterFacts facts = cluster();
  facts.nodes[3].is_down = true;
  EXPECT_EQ(asking("partition: gpu, gpus_per_node: 3", facts),
            "4:28 warning: every node of partition 'gpu' that would do is down or drained: jobs wait\n");
  EXPECT_EQ(asking("partition: gpu, gpus_per_node: 2", facts), "");
}

TEST(ClusterCheck, KnowsReservationsAndLicenses) {
  EXPECT_EQ(
      asking("reservation: curse"),
      "4:30 error: there is no reservation 'curse'\n> did you mean 'course'? this cluster has course\n");
  EXPECT_EQ(asking("licenses: 'ansys,abaqus:3'"),
            "4:27 error: 3 of license 'abaqus' are more than the 2 that this cluster has\n"
            "4:27 error: there is no license 'ansys'\n> this cluster has abaqus and matlab\n");
}

TEST(ClusterCheck, KnowsAccountsAndQosWhereTheClusterDoes) {
  ClusterFacts facts = cluster();
  facts.accounts = {{"physics", "biology"}};
  facts.qos = {{"normal", "debug"}};
  facts.partitions[0].allowed_accounts = {"physics"};
  facts.partitions[0].allowed_qos = {"normal"};
  EXPECT_EQ(asking("account: physics, qos: normal", facts), "");
  EXPECT_EQ(asking("account: fysics", facts),
            "4:26 error: account 'fysics' is not one of yours\n> did you mean 'physics'? your user has "
            "physics and biology\n");
  EXPECT_EQ(asking("account: biology", facts),
            "4:26 error: account 'biology' may not be used in partition 'cpu'\n> what may: physics\n");
  EXPECT_EQ(asking("qos: high", facts),
            "4:22 error: QOS 'high' is not one of yours\n> your user has normal and debug\n");
  EXPECT_EQ(asking("qos: debug", facts),
            "4:22 error: QOS 'debug' may not be used in partition 'cpu'\n> what may: normal\n");
}

TEST(ClusterCheck, SaysWithWhichValuesOfTheMatrixItFails) {
  const std::string text =
      "stages:\n  s:\n    run: ls\n    matrix: {n: [8, 16, 32, 64], m: [1, 2]}\n"
      "    resources:\n      cpus_per_task: ${{ matrix.n }}\n      time: ${{ matrix.m }}h\n";
  EXPECT_EQ(findings(text),
            "6:22 error: with matrix.m = 1 and matrix.n = 32, 32 cores of a rank are asked for; the largest "
            "node of "
            "partition 'cpu' has 16\n"
            "> ask for at most 16, or use partition gpu (32 CPUs) or big (64 CPUs)\n");
}

TEST(ClusterCheck, PointsAtDefaultsOnceForAllStagesThatHaveThem) {
  EXPECT_EQ(
      findings("defaults: {partition: gpuu}\nstages:\n  a: {run: ls}\n  b: {run: ls}\n"),
      "1:23 error: there is no partition 'gpuu'\n> did you mean 'gpu'? this cluster has cpu, gpu and big\n");
}

TEST(ClusterCheck, WarnsOfMoreJobsThanTheControllerOrTheUserMayHave) {
  ClusterFacts facts = cluster();
  facts.max_jobs = 100;
  facts.submit_limits = {{"QOS normal", 50}, {"account physics", 1000}};
  const std::string help =
      "> pack: auto puts many small instances into one element; what does not fit now can be submitted later "
      "with "
      "kernmill resume\n";
  EXPECT_EQ(
      findings("stages:\n  s:\n    run: ls\n    matrix: {a: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], b: [1, 2, "
               "3, 4, 5, "
               "6, 7, 8, 9, 10]}\n",
               facts),
      "0:0 warning: this run has 111 jobs and elements of job arrays; QOS normal allows you 50 at once\n" +
          help + "0:0 warning: this run has 111 jobs and elements of job arrays; the controller keeps 100\n" +
          help);
  EXPECT_EQ(findings("stages: {s: {run: ls}}\n", facts), "");
}

TEST(ClusterCheck, APackHasToEndWithinTheTimeThatAnElementMayHave) {
  const std::string pack =
      "stages:\n  s:\n    run: ls\n    matrix: {a: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}\n    pack: ";
  const std::string resources = "\n    resources: {time: 50m, cpus_per_task: 4}\n";
  EXPECT_EQ(findings(pack + "8" + resources),
            "6:23 error: 8 instances to an element, 2 side by side, may take 3h20m: more than the 2h that "
            "partition 'cpu' allows\n> pack: 4 fits, and pack: auto finds that by itself\n");
  EXPECT_EQ(findings(pack + "4" + resources), "");
  EXPECT_EQ(findings(pack + "auto" + resources), "");
}

TEST(ClusterCheck, AsksNothingOfAClusterThatDoesNotSayWhatItHas) {
  ClusterFacts facts;
  facts.partitions = {partition_of("only", {}, std::chrono::seconds(0))};
  facts.partitions[0].is_default = true;
  EXPECT_EQ(asking("cpus_per_task: 1000, mem: 1P, gpus: 8, time: 365d", facts), "");
}

TEST(ClusterCheck, JudgesAMillionInstancesByTheirDifferentResources) {
  std::string values = "0";
  for (int i = 1; i < 1000; ++i) values += fmt::format(", {}", i);
  const std::string text = "stages:\n  s:\n    run: ls\n    pack: 1000\n    matrix: {a: [" + values +
                           "], b: [" + values + "]}\n    partition: gpuu\n";
  EXPECT_EQ(
      findings(text),
      "6:16 error: there is no partition 'gpuu'\n> did you mean 'gpu'? this cluster has cpu, gpu and big\n");
}

}  // namespace
}  // namespace kernmill
