// What the keys of `resources:` become: each stage writes down what Slurm knows of its job.
#include <fstream>

#include <gmock/gmock.h>

#include "submit_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class SlurmResources : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!no_slurm_because().empty()) return;
    world = std::make_unique<SubmitWorld>();
    world->workflow(R"(
  some_nodes: {run: &note "scontrol -o show job $SLURM_JOB_ID > $KERNMILL_STAGE.job", nodes: 2-3, ntasks_per_node: 2, mem: 50M}
  two_nodes: {run: *note, nodes: 2, mem: 50M, time: 90}
  ranks: {run: *note, procs: 4, threads: 2, mem_per_cpu: 60M}
  gpus: {run: *note, gpus: 2, mem: 50M}
  gpus_of_nodes: {run: *note, gpus_per_node: 1, mem: 50M, queue: low}
  gpus_of_ranks: {run: *note, ntasks: 2, gpus_per_task: 1, mem: 50M}
  gres: {run: *note, gres: "gpu:1", mem: 50M}
  licensed: {run: *note, licenses: "solver:2", mem: 50M}
  fast: {run: *note, constraint: fast, mem: 50M}
  elsewhere: {run: *note, exclude: "n[1-2]", mem: 50M, account: physics}
  reserved: {run: *note, reservation: course, mem: 50M}
  nice: {run: *note, clusterOptions: --nice=7, mem: 50M}
)");
    world->slurm().run({"scontrol", "create", "reservation", "reservationname=course", "starttime=now",
                        "duration=60", "users=" + std::string(user_name()), "nodes=n4", "flags=overlap"});
    world->submit();
    EXPECT_EQ(world->outcome(), "done");
  }
  static void TearDownTestSuite() { world.reset(); }
  void SetUp() override { KERNMILL_NEEDS_SLURM(); }

  static std::string user_name() {
    std::string name = world->slurm().run({"id", "-un"});
    name.pop_back();
    return name;
  }
  static std::string job(const std::string& stage) {
    const auto lines = world->lines(stage + ".job");
    return lines.empty() ? "" : lines.front();
  }
  static std::unique_ptr<SubmitWorld> world;
};
std::unique_ptr<SubmitWorld> SlurmResources::world;

TEST_F(SlurmResources, ARangeOfNodesTakesWhatIsFree) {
  EXPECT_THAT(job("some_nodes"), AllOf(ContainsRegex(" NumNodes=[23] "), ContainsRegex(" NumTasks=[46] "),
                                       HasSubstr("MinMemoryNode=50M")));
}
TEST_F(SlurmResources, NodesHaveARankEach) {
  EXPECT_THAT(job("two_nodes"),
              AllOf(HasSubstr(" NumNodes=2 "), HasSubstr(" NumTasks=2 "), HasSubstr(" TimeLimit=01:30:00 ")));
}
TEST_F(SlurmResources, RanksCoresAndMemoryOfCores) {
  EXPECT_THAT(job("ranks"),
              AllOf(HasSubstr(" NumTasks=4 "), HasSubstr(" CPUs/Task=2 "), HasSubstr(" MinMemoryCPU=60M ")));
}
TEST_F(SlurmResources, GpusOfTheJobTheNodeOrTheRank) {
  EXPECT_THAT(job("gpus"), ContainsRegex("TresPerJob=gres.gpu:2"));
  EXPECT_THAT(job("gpus_of_nodes"),
              AllOf(ContainsRegex("TresPerNode=gres.gpu:1"), HasSubstr(" Partition=low ")));
  EXPECT_THAT(job("gpus_of_ranks"), ContainsRegex("TresPerTask=.*gres.gpu[:=]1"));
  EXPECT_THAT(job("gres"), ContainsRegex("TresPerNode=gres.gpu:1"));
  for (const char* stage : {"gpus", "gpus_of_nodes", "gpus_of_ranks", "gres"})
    EXPECT_THAT(job(stage), HasSubstr(" NodeList=n2 ")) << stage;
}
TEST_F(SlurmResources, LicensesFeaturesAndNodesToAvoid) {
  EXPECT_THAT(job("licensed"), HasSubstr(" Licenses=solver:2 "));
  EXPECT_THAT(job("fast"), AllOf(HasSubstr(" Features=fast "), HasSubstr(" NodeList=n1 ")));
  EXPECT_THAT(job("elsewhere"), AllOf(HasSubstr(" ExcNodeList=n[1-2] "), HasSubstr(" Account=physics "),
                                      ContainsRegex(" NodeList=n[34] ")));
}
TEST_F(SlurmResources, AReservationAndWhatElseSbatchTakes) {
  EXPECT_THAT(job("reserved"), AllOf(HasSubstr(" Reservation=course "), HasSubstr(" NodeList=n4 ")));
  EXPECT_THAT(job("nice"), HasSubstr(" Nice=7 "));
}

TEST(Container, AnOciBundleIsRunBySlurm) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  const auto bundle = world.path() / "bundle";
  std::filesystem::create_directories(bundle / "rootfs");
  std::ofstream(bundle / "config.json")
      << R"({"ociVersion": "1.0.0", "root": {"path": "rootfs"}, "mounts": [],)"
      << R"( "process": {"cwd": "/", "args": ["true"], "env": ["FROM_BUNDLE=yes"], "user": {"uid": 0, "gid": 0}}})";
  world.workflow(R"(
  inside:
    container: oci:)" +
                 bundle.string() + R"(
    resources: {mem: 60M}
    run: |
      test -n "$KERNMILL_TEST_BUNDLE"
      echo "$FROM_BUNDLE" > inside
      echo value=3 > $KERNMILL_METRICS
  after: {run: 'echo "$VALUE" > after', env: {VALUE: "${{ stages.inside.value }}"}, resources: {mem: 60M}}
)");
  world.submit();
  EXPECT_EQ(world.outcome(), "done");
  EXPECT_EQ(world.lines("inside"), (std::vector<std::string>{"yes"}));
  EXPECT_EQ(world.lines("after"), (std::vector<std::string>{"3"}));
}

}  // namespace
}  // namespace kernmill::testing
