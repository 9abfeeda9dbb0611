// What commands say of a real cluster without submitting anything to it.
#include <fstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "kernmill/run/cluster_check/cluster_check.hpp"
#include "kernmill/run/submit/batch_job.hpp"
#include "kernmill/workflow/parse/parser.hpp"
#include "slurm_world.hpp"

namespace fs = std::filesystem;

namespace kernmill::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

/// One cluster for all tests of the process, and a kernmill-task that says with how many ranks it was
/// started.
class Doctor : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!no_slurm_because().empty()) return;
    world = std::make_unique<SlurmWorld>();
    write("kernmill-task",
          "#!/bin/sh\n"
          "test ${SLURM_PROCID:-0} = 0 || exit 0\n"
          "echo '{\"program\":\"kernmill-task "
          "1\",\"ranks\":'${SLURM_NTASKS:-${RANKS:-1}}',\"sum_is_right\":true}'\n");
    write("launch", "#!/bin/sh\nRANKS=$1 exec \"$2\" \"$3\"\n");
    write("flow.yaml",
          "defaults: {mem: 100M, time: 30m}\n"
          "stages:\n"
          "  many: {matrix: {n: [1, 2, 3, 4]}, run: ls, cpus_per_task: 2}\n"
          "  last: {needs: many, run: ls}\n");
  }
  static void TearDownTestSuite() { world.reset(); }
  void SetUp() override { KERNMILL_NEEDS_SLURM(); }

  static void write(const std::string& name, const std::string& text) {
    std::ofstream(world->path() / name) << text;
    fs::permissions(world->path() / name, fs::perms::owner_all);
  }
  static Finished kernmill(std::vector<std::string> words) {
    words.insert(words.begin(), KERNMILL);
    return run_program({std::move(words),
                        world->path(),
                        {{"KERNMILL_SLURM_PLUGIN", KERNMILL_SLURM_PLUGIN_FILE},
                         {"KERNMILL_TASK", (world->path() / "kernmill-task").string()},
                         {"KERNMILL_LAUNCHER_TEMPLATE", (world->path() / "launch").string() + " {ntasks}"},
                         {"KERNMILL_SITE", "/nowhere/site.yaml"}}});
  }
  static json check_named(const json& report, const std::string& name) {
    for (const json& check : report.at("checks"))
      if (check.at("name") == name) return check;
    ADD_FAILURE() << "no check " << name << " in " << report.dump(2);
    return {};
  }

  static std::unique_ptr<SlurmWorld> world;
};
std::unique_ptr<SlurmWorld> Doctor::world;

TEST_F(Doctor, FindsAWorkingClusterInOrder) {
  const Finished finished = kernmill({"doctor", "--json", "--deep"});
  EXPECT_EQ(finished.exit_code, 0) << finished.out << finished.err;
  const json report = json::parse(finished.out);
  for (const char* name : {"plug-in", "controller", "munge", "release", "cluster", "MPI launch in a job"})
    EXPECT_EQ(check_named(report, name).at("status"), "ok") << check_named(report, name).dump(2);
  const json cluster = check_named(report, "cluster").at("values");
  EXPECT_EQ(cluster.at("name"), "kernmill");
  EXPECT_EQ(cluster.at("nodes_usable"), 4);
  EXPECT_EQ(cluster.at("partitions_up"), 3);
}

TEST_F(Doctor, SaysThatAControllerDoesNotAnswer) {
  world->cluster({"stop-controller"});
  const Finished doctor = kernmill({"doctor", "--json"});
  const Finished plan = kernmill({"plan", "flow.yaml", "--scheduler", "slurm"});
  const Finished validate = kernmill({"validate", "flow.yaml", "--scheduler", "slurm"});
  world->cluster({"start-controller"});
  wait_until("all nodes are known again", [] {
    return world->run({"sinfo", "-h", "-N", "-t", "idle", "-p", "main", "-o", "x"}) == "x\nx\nx\nx\n";
  });
  EXPECT_EQ(doctor.exit_code, 3);
  const json report = json::parse(doctor.out);
  EXPECT_EQ(check_named(report, "plug-in").at("status"), "ok");
  EXPECT_EQ(check_named(report, "controller").at("status"), "fail");
  EXPECT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("no estimates: "));
  EXPECT_EQ(validate.exit_code, 3);
  EXPECT_THAT(validate.err, HasSubstr("error: "));
}

TEST_F(Doctor, PlanEstimatesCoreHoursAndStarts) {
  const Finished finished = kernmill({"plan", "flow.yaml", "--scheduler", "slurm", "--json"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  const json plan = json::parse(finished.out);
  EXPECT_EQ(plan.at("cluster").at("answered"), true);
  EXPECT_EQ(plan.at("cluster").at("core_hours_at_most"), 4.5);
  const json& many = plan.at("stages").at(0).at("estimate");
  EXPECT_EQ(many.at("is_estimate"), true);
  EXPECT_EQ(many.at("core_hours_at_most"), 4.0);
  EXPECT_TRUE(many.at("expected_start").is_string()) << many.dump();
  EXPECT_TRUE(plan.at("stages").at(1).at("estimate").at("expected_start").is_null())
      << "it waits for another";
  EXPECT_THAT(kernmill({"plan", "flow.yaml", "--scheduler", "slurm"}).out,
              HasSubstr("at most 4 core-hours, would start now (estimate)"));
}

TEST_F(Doctor, ValidatePointsAtWhatTheClusterDoesNotHave) {
  write("bad.yaml",
        "stages:\n"
        "  a: {run: ls, partition: shrt}\n"
        "  b: {run: ls, partition: short, time: 1h}\n");
  const Finished finished = kernmill({"validate", "bad.yaml", "--scheduler", "slurm", "--color", "never"});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_EQ(finished.err,
            "bad.yaml:2:27: error: there is no partition 'shrt'\n"
            "    2 |   a: {run: ls, partition: shrt}\n"
            "      |                           ^^^^\n"
            "help: did you mean 'short'? this cluster has main, low and short\n\n"
            "bad.yaml:3:40: error: a time limit of 1h is more than the 10m that partition 'short' allows\n"
            "    3 |   b: {run: ls, partition: short, time: 1h}\n"
            "      |                                        ^^\n"
            "help: ask for at most 10m, or use partition main (unlimited) or low (unlimited)\n\n"
            "2 errors\n");
}

/// Whether check_against finds an error in a stage that asks for this.
bool is_found_wanting(const std::string& resources, const ClusterFacts& facts, Resources& typed) {
  Diagnostics parsed, found;
  Workflow workflow =
      parse_workflow({"/test.yaml", "stages:\n  s: {run: ls, resources: {mem: 50M, " + resources + "}}\n"},
                     {}, real_files(), parsed);
  EXPECT_FALSE(parsed.has_errors()) << render(parsed, false);
  const Plan plan(std::move(workflow));
  typed = plan.resources({0, 0});
  check_against(plan, facts, found);
  return found.has_errors();
}

bool would_be_refused(Cluster& cluster, const Resources& resources) {
  BatchJob job{.script = "#!/bin/sh\n", .env = {{"PATH", "/bin"}}, .options = options_for(resources)};
  job.options.emplace_back("job-name", "test");
  try {
    return !cluster.expected_start(job);
  } catch (const ClusterError& error) {
    EXPECT_EQ(error.kind, ClusterError::Kind::rejected) << error.what();
    return true;
  }
}

TEST_F(Doctor, CheckAgreesWithTheControllerOnWhatCanRun) {
  const auto cluster = SlurmWorld::open();
  const ClusterFacts facts = cluster->facts();
  for (const char* good :
       {"ntasks: 1", "ntasks: 16", "cpus_per_task: 4", "ntasks: 4, ntasks_per_node: 4", "nodes: 4, ntasks: 4",
        "nodes: 2-8, ntasks: 4", "gpus: 2", "gpus_per_node: 1", "ntasks: 2, gpus_per_task: 1",
        "gres: 'gpu:2'", "licenses: 'solver:3'", "exclude: 'n[1-2]'", "constraint: fast",
        "partition: short, time: 10m", "partition: 'short,main', time: 1h"}) {
    Resources resources;
    EXPECT_FALSE(is_found_wanting(good, facts, resources)) << good;
    EXPECT_FALSE(would_be_refused(*cluster, resources)) << good;
  }
  for (const char* bad :
       {"ntasks: 17", "cpus_per_task: 5", "ntasks: 5, ntasks_per_node: 5", "nodes: 5, ntasks: 5", "gpus: 3",
        "gpus_per_node: 3", "nodes: 1, ntasks: 3, gpus_per_task: 1", "gres: 'gpu:3'", "gres: 'fpga:1'",
        "licenses: 'solver:4'", "licenses: nothing", "exclude: n9", "exclude: 'n[1-4]'", "constraint: slow",
        "partition: nowhere", "reservation: none"}) {
    Resources resources;
    EXPECT_TRUE(is_found_wanting(bad, facts, resources)) << bad;
    EXPECT_TRUE(would_be_refused(*cluster, resources)) << bad;
  }
}

}  // namespace
}  // namespace kernmill::testing
