// Packs on a real cluster: killed, put back into the queue, short of memory.
#include <csignal>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "submit_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// `{i: [0, ..., count - 1]}`
std::string matrix(int count) {
  std::string list;
  for (int i = 0; i < count; ++i) list += (i > 0 ? ", " : "") + std::to_string(i);
  return "{i: [" + list + "]}";
}

std::size_t committed(const SubmitWorld& world) {
  std::size_t count = 0;
  const RunRecord record = world.record();
  for (const auto& [key, instance] : record.instances) count += instance.committed ? 1 : 0;
  return count;
}

std::size_t files_below(const std::filesystem::path& path) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
    count += entry.is_regular_file() ? 1 : 0;
  return count;
}

/// How often each instance has written its number into `ran`.
std::map<std::string, int> runs_of(const SubmitWorld& world) {
  std::map<std::string, int> count;
  for (const std::string& line : world.lines("ran")) ++count[line];
  return count;
}

TEST(Packed, FiveHundredInstancesAreAFewElementsAndFiles) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow("\n  sweep: {matrix: " + matrix(500) + R"yaml(, pack: 125, resources: {mem: 50M},
    run: 'echo "twice=$((2 * KERNMILL_MATRIX_I))" > $KERNMILL_METRICS'}
  last: {needs: sweep, run: touch last}
)yaml");
  world.submit();
  EXPECT_EQ(world.outcome(), "done");
  EXPECT_EQ(committed(world), 501u);
  EXPECT_EQ(world.record().find("sweep", 321)->metrics, (Json{{"twice", 642}}));
  EXPECT_LT(files_below(world.run().root() / "stages" / "sweep"), 50u);
}

TEST(Packed, TrialsOfASearchMayRunACommandPackedOrAsAnArray) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"yaml(
  packed:
    task: tune
    run: echo "loss=$((KERNMILL_POINT_X * KERNMILL_POINT_X))" > $KERNMILL_METRICS
    space: {x: [3, -2, 1, 4]}
    objective: {metric: loss, goal: min}
    pack: 4
    resources: {mem: 50M}
  alone:
    task: tune
    run: echo "loss=${{ point.x }}" > $KERNMILL_METRICS; echo model > $KERNMILL_OUTPUT/model
    outputs: [model]
    space: {x: [3, -2, 1]}
    objective: {metric: loss, goal: max}
    resources: {mem: 50M}
  last: {run: 'echo $A $B > last; cat $MODEL >> last', env: {A: "${{ stages.packed.trial }}",
    B: "${{ stages.alone.value }}", MODEL: "${{ stages.alone.model }}"}}
)yaml");
  world.submit();
  EXPECT_EQ(world.outcome(), "done");
  EXPECT_EQ(world.lines("last"), (std::vector<std::string>{"2 3", "model"}));
  const Json trials = Json::parse(world.kernmill({"results", "last", "alone", "--json"}).out);
  for (const Json& trial : trials["stages"][0]["instances"]) {
    EXPECT_GT(trial["peak_memory"], 0) << trial;
    EXPECT_FALSE(trial["node"].get<std::string>().empty()) << trial;
  }
  EXPECT_THAT(world.kernmill({"explain", "last", "alone.1"}).out,
              AllOf(HasSubstr("attempt 1  done"), HasSubstr(", on n"), HasSubstr(" MiB of 50 MiB")));
}

TEST(Packed, AnElementThatIsPutBackIntoTheQueueRunsOnlyTheRest) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow("\n  sweep: {matrix: " + matrix(8) + R"(, pack: 8, resources: {mem: 50M, cpus_per_task: 2},
    run: 'echo $KERNMILL_MATRIX_I >> ran; [ $KERNMILL_MATRIX_I -lt 4 ] || [ -e go ] || sleep 600'}
)");
  world.submit();
  wait_until("four commits", [&] { return committed(world) == 4; });
  world.wait_for_start("sweep", 5);
  world.slurm().run({"touch", "go"});
  world.slurm().run({"scontrol", "requeue", world.job_of("sweep")});
  EXPECT_EQ(world.outcome(), "done");
  const auto runs = runs_of(world);
  for (const char* instance : {"0", "1", "2", "3"}) EXPECT_EQ(runs.at(instance), 1) << instance;
  EXPECT_EQ(committed(world), 8u);
}

TEST(Packed, AfterAKillOfTheElementAResumeRunsOnlyTheRest) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow("\n  sweep: {matrix: " + matrix(8) + R"(, pack: 8, resources: {mem: 50M, cpus_per_task: 2},
    run: 'echo $KERNMILL_MATRIX_I >> ran; [ $KERNMILL_MATRIX_I -lt 4 ] || [ -e go ] || sleep 600'}
)");
  world.submit();
  wait_until("four commits", [&] { return committed(world) == 4; });
  world.wait_for_start("sweep", 5);
  const RunRecord record = world.record();
  ASSERT_EQ(::kill(record.find("sweep", 5)->attempts.back().exec.pid, SIGKILL), 0);
  world.outcome();
  EXPECT_EQ(committed(world), 4u);
  world.slurm().run({"touch", "go"});
  EXPECT_EQ(world.kernmill({"resume"}).exit_code, 0);
  wait_until("the rest", [&] { return committed(world) == 8; });
  const auto runs = runs_of(world);
  for (const char* instance : {"0", "1", "2", "3"}) EXPECT_EQ(runs.at(instance), 1) << instance;
}

TEST(Packed, WantOfMemoryCostsTheGuiltyInstanceNotThePack) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow("\n  sweep: {matrix: " + matrix(12) + R"yaml(, pack: 12, max_fails: 1, resources: {mem: 60M},
    run: 'if [ $KERNMILL_MATRIX_I = 5 ]; then x=$(head -c 400000000 /dev/zero | tr "\0" x); sleep 600; fi'}
)yaml");
  world.submit();
  EXPECT_EQ(world.outcome(), "done");
  EXPECT_EQ(committed(world), 11u);
  const RunRecord record = world.record();
  const InstanceRecord* guilty = record.find("sweep", 5);
  ASSERT_EQ(guilty->attempts.size(), 2u) << "once beside others, once alone";
  EXPECT_EQ(guilty->attempts.back().cause, Cause::oom);
  EXPECT_EQ(record.find("sweep", 6)->attempts.size(), 1u);
}

TEST(Packed, AtItsTimeLimitAnElementGoesOnWithWhatIsLeft) {
  KERNMILL_NEEDS_SLURM();
  if (!is_long()) GTEST_SKIP() << "takes two minutes: ./dev test --long";
  SubmitWorld world;
  world.workflow("  many:\n    matrix: " + matrix(4) + R"(
    pack: 4
    resources: {time: 1m, mem: 50M}
    run: echo $KERNMILL_MATRIX_I >> ran; test $KERNMILL_MATRIX_I != 2 || sleep 300
    restart: echo again >> ran
  after: {needs: many, run: touch after}
)");
  world.submit();
  EXPECT_EQ(world.outcome(std::chrono::seconds(240)), "done");
  EXPECT_EQ(runs_of(world),
            (std::map<std::string, int>{{"0", 1}, {"1", 1}, {"2", 1}, {"3", 1}, {"again", 1}}));
  EXPECT_TRUE(std::filesystem::exists(world.path() / "after"));
}

}  // namespace
}  // namespace kernmill::testing
