// Stages whose instances another one decides, on a real cluster.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/run/directory/plan_file.hpp"
#include "submit_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr const char* stages = R"(
  split: {run: 'until test -e go; do sleep 0.2; done; printf "a\nb\nc\n" > $KERNMILL_OUTPUT/parts', outputs: [parts]}
  slow: {run: 'until test -e finish; do sleep 0.2; done; echo slow >> log'}
  fit:
    matrix: {part: {from: stages.split.parts}}
    run: 'echo "v=${{ matrix.part }}$ASKED" > $KERNMILL_METRICS; echo fit ${{ matrix.part }} >> log'
    env: {ASKED: {from: env}}
  score:
    matrix: {part: {from: stages.split.parts}}
    run: echo score $V >> log
    env: {V: "${{ stages.fit.v }}"}
  collect: {needs: [score, slow], run: echo collect >> log}
)";

/// Submits it all, and lets `split` end.
void submit_and_split(SubmitWorld& world) {
  world.workflow(stages);
  const Finished submitted = world.kernmill({"submit", "flow.yaml"}, {{"ASKED", "!"}});
  ASSERT_EQ(submitted.exit_code, 0) << submitted.err;
  EXPECT_THAT(world.kernmill({"status"}).out, HasSubstr("decided by split"));
  world.slurm().run({"touch", "go"});
}

std::vector<std::string> sorted(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

void expect_all_of_it_once(const SubmitWorld& world) {
  EXPECT_THAT(sorted(world.lines("log")),
              ElementsAre("collect", "fit a", "fit b", "fit c", "score a!", "score b!", "score c!", "slow"));
  EXPECT_EQ(world.lines("log").back(), "collect");
  wait_until("an empty queue", [&] { return world.queue().empty(); });
}

TEST(Growth, InstancesAreSubmittedWhenTheStageThatDecidesThemHasCommitted) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  submit_and_split(world);
  wait_until("the instances that were decided, while another stage runs still",
             [&] { return world.committed("score", 2); });
  EXPECT_EQ(read_plan_file(world.run()).plan.total_instances(), 9U);
  EXPECT_FALSE(world.committed("slow"));
  const Finished resumed = world.kernmill({"resume"}, {{"ASKED", "!"}});
  EXPECT_THAT(resumed.err, HasSubstr("nothing to submit")) << resumed.out;
  world.slurm().run({"touch", "finish"});
  EXPECT_EQ(world.outcome(), "done");
  expect_all_of_it_once(world);
}

TEST(Growth, AGrowthJobThatIsKilledIsMadeUpFor) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(stages);
  ASSERT_EQ(world.kernmill({"submit", "flow.yaml"}, {{"ASKED", "!"}}).exit_code, 0);
  const RunRecord record = world.record();
  const std::string growth = record.generations.at(1).arrays.at("grow+split").job;
  world.slurm().run({"scancel", growth});
  world.slurm().run({"touch", "go", "finish"});
  EXPECT_EQ(world.outcome(), "done");
  expect_all_of_it_once(world);
}

TEST(Growth, AResumeGoesOnWhereverTheRunWas) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  submit_and_split(world);
  wait_until("a decision", [&] { return std::filesystem::exists(world.run().later_plan(2)); });
  EXPECT_EQ(world.kernmill({"cancel"}).exit_code, 0);
  world.slurm().run({"touch", "finish"});
  const Finished resumed = world.kernmill({"resume"}, {{"ASKED", "!"}});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(world.outcome(), "done");
  EXPECT_EQ(world.lines("log").back(), "collect");
  for (unsigned i = 0; i < 3; ++i) EXPECT_TRUE(world.committed("score", i));
}

TEST(Growth, AControllerThatStartsAnewLosesNothing) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(stages);
  ASSERT_EQ(world.kernmill({"submit", "flow.yaml"}, {{"ASKED", "!"}}).exit_code, 0);
  world.wait_for_start("split");
  world.slurm().cluster({"stop-controller"});
  world.slurm().run({"touch", "go", "finish"});
  wait_until("a commit without a controller", [&] { return world.committed("split"); });
  world.slurm().cluster({"start-controller"});
  EXPECT_EQ(world.outcome(), "done");
  expect_all_of_it_once(world);
}

TEST(Growth, AFailureOfAJobThatBeganBeforeTheGrowthEndsWhatWaitsForIt) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  split: {run: 'echo "[1, 2]" > $KERNMILL_OUTPUT/parts', outputs: [parts]}
  slow: {run: 'until test -e finish; do sleep 0.2; done; false'}
  fit: {matrix: {part: {from: stages.split.parts}}, run: 'until test -e finish; do sleep 0.2; done'}
  collect: {needs: [fit, slow], run: touch collected}
)");
  world.submit();
  world.wait_for_start("fit", 1);
  world.slurm().run({"touch", "finish"});
  EXPECT_EQ(world.outcome(), "failed");
  EXPECT_EQ(world.state("collect"), "blocked");
  EXPECT_TRUE(world.committed("fit", 1));
  wait_until("an empty queue", [&] { return world.queue().empty(); });
}

TEST(Growth, AListThatCannotBeUsedFailsTheStageInWords) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  split: {run: 'echo "{\"a\": 1}" > $KERNMILL_OUTPUT/parts.json', outputs: [parts.json]}
  fit: {matrix: {part: {from: stages.split.parts.json}}, run: 'true'}
  collect: {needs: fit, run: touch collected}
)");
  world.submit();
  EXPECT_EQ(world.outcome(), "failed");
  EXPECT_EQ(world.state("collect"), "blocked");
  EXPECT_THAT(world.kernmill({"status"}).out,
              HasSubstr("parts.json) cannot be used: it is a map, not a list"));
}

}  // namespace
}  // namespace kernmill::testing
