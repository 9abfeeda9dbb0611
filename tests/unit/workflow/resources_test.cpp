#include "kernmill/workflow/resources.hpp"

#include <gtest/gtest.h>

#include "kernmill/workflow/settings/settings.hpp"

namespace kernmill {
namespace {

using Options = SbatchOptions::List;

/// A value of every key, none of them the default.
const Json everything{{"nodes", "2-8"},
                      {"ntasks", 16},
                      {"ntasks_per_node", 4},
                      {"cpus_per_task", 2},
                      {"gpus", "a100:2"},
                      {"gpus_per_node", "1"},
                      {"gpus_per_task", "a100:1"},
                      {"mem", "1500K"},
                      {"mem_per_cpu", "3072K"},
                      {"time", "1h30s"},
                      {"account", "chemistry"},
                      {"partition", "long"},
                      {"qos", "high"},
                      {"reservation", "course"},
                      {"constraint", "ib"},
                      {"exclude", "n[1-3]"},
                      {"gres", "nic:1"},
                      {"licenses", "matlab"},
                      {"slurm_extra", {"--nice=5", "--exclusive", "--mail-type=END"}}};

TEST(Resources, AreReadFromWhatTheMatrixGives) {
  const Resources resources = to_resources(
      Json::parse(R"({"ntasks": "4", "cpus_per_task": 2, "nodes": "2-8", "mem": 100, "gpus": "a100:2"})"));
  EXPECT_EQ(resources.cores(), 8);
  EXPECT_EQ(resources.nodes_min, 2);
  EXPECT_EQ(resources.nodes_max, 8);
  EXPECT_EQ(resources.mem, 100ull << 20);
  EXPECT_EQ(resources.gpus, "a100:2");
}

TEST(Resources, HaveRanksOnEveryNodeWhereOnlyTheNodesAreGiven) {
  const auto of = [](const char* text) { return to_resources(Json::parse(text)); };
  EXPECT_EQ(of(R"({"nodes": "2-8", "ntasks_per_node": 4})").ntasks, 8);
  EXPECT_TRUE(of(R"({"nodes": "2-8", "ntasks_per_node": 4})").ntasks_by_node);
  EXPECT_EQ(of(R"({"nodes": 3})").ntasks, 3);
  EXPECT_EQ(of(R"({"ntasks_per_node": 4})").ntasks, 4);
  EXPECT_EQ(of(R"({"nodes": 3, "ntasks": 5})").ntasks, 5);
  EXPECT_FALSE(of(R"({"nodes": 3, "ntasks": 5})").ntasks_by_node);
  EXPECT_EQ(to_resources(to_json(of(R"({"nodes": "2-8"})"))).ntasks_by_node, true);
}

TEST(Resources, ThatDoNotFitAfterAllThrow) {
  EXPECT_THROW(to_resources(Json{{"ntasks", 0}}), std::invalid_argument);
  EXPECT_THROW(to_resources(Json{{"time", "soon"}}), std::invalid_argument);
  EXPECT_THROW(to_resources(Json{{"ram", "1G"}}), std::invalid_argument);
}

TEST(Resources, HaveEveryKeyOfTheLanguage) {
  for (const Setting& setting : resource_settings().settings)
    EXPECT_TRUE(everything.contains(setting.name)) << setting.name;
  EXPECT_EQ(everything.size(), resource_settings().settings.size());
}

TEST(Resources, AreWrittenAsTheyWereRead) {
  EXPECT_EQ(to_json(to_resources(everything)), everything);
  EXPECT_EQ(to_json(Resources{}), (Json{{"ntasks", 1}, {"cpus_per_task", 1}}));
}

TEST(Resources, AreOptionsOfSbatchInTheOrderOfTheLanguage) {
  const Options expected{{"nodes", "2-8"},
                         {"ntasks", "16"},
                         {"ntasks-per-node", "4"},
                         {"cpus-per-task", "2"},
                         {"gpus", "a100:2"},
                         {"gpus-per-node", "1"},
                         {"gpus-per-task", "a100:1"},
                         {"mem", "2M"},
                         {"mem-per-cpu", "3M"},
                         {"time", "61"},
                         {"account", "chemistry"},
                         {"partition", "long"},
                         {"qos", "high"},
                         {"reservation", "course"},
                         {"constraint", "ib"},
                         {"exclude", "n[1-3]"},
                         {"gres", "nic:1"},
                         {"licenses", "matlab"},
                         {"nice", "5"},
                         {"exclusive", ""},
                         {"mail-type", "END"}};
  EXPECT_EQ(options_for(to_resources(everything)), expected);
}

TEST(Resources, WithoutRanksOfTheirOwnHaveThemByNode) {
  const Options expected{{"nodes", "3"}, {"ntasks-per-node", "1"}, {"cpus-per-task", "1"}};
  EXPECT_EQ(options_for(to_resources(Json{{"nodes", 3}})), expected);
}

TEST(Resources, FurtherOptionsAreTakenApart) {
  const auto extra = [](std::vector<std::string> texts) {
    return options_for(to_resources(Json{{"ntasks", 1}, {"slurm_extra", std::move(texts)}}));
  };
  const Options expected{{"ntasks", "1"},   {"cpus-per-task", "1"}, {"nice", "5"},
                         {"exclusive", ""}, {"mail-type", "END"},   {"gpu-bind", "map:0,1"}};
  EXPECT_EQ(extra({"--nice=5 --exclusive", "--mail-type END", "--gpu-bind=map:0,1"}), expected);
  for (const char* wrong : {"-p long", "exclusive", "--nice 5 6", "--"})
    EXPECT_THROW(extra({wrong}), std::invalid_argument) << wrong;
}

}  // namespace
}  // namespace kernmill
