#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conductor_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Stage gated(const std::string& name, const std::string& when) {
  Stage stage = command_stage(name, {"score"});
  stage.when = when;
  return stage;
}

TEST(Gate, LetsAnInstanceRunWhenItIsTrue) {
  ConductorWorld world(
      plan_of_stages({command_stage("score"), gated("ship", "${{ stages.score.accuracy >= 0.9 }}")}));
  world.script["score.0"] = {commit({{"accuracy", 0.95}})};
  EXPECT_EQ(world.conduct().outcome, RunOutcome::done);
  EXPECT_THAT(world.output.told, Contains("ship committed"));
}

TEST(Gate, SkipsAnInstanceAndWhatIsBehindItWhenItIsFalse) {
  ConductorWorld world(
      plan_of_stages({command_stage("score"), gated("ship", "${{ stages.score.accuracy >= 0.9 }}"),
                      command_stage("notify", {"ship"})}));
  world.script["score.0"] = {commit({{"accuracy", 0.5}})};
  EXPECT_EQ(world.conduct().outcome, RunOutcome::done);
  EXPECT_THAT(world.scheduler.submitted, ElementsAre("score.0.1-abcdef"));
  EXPECT_TRUE(world.journal().find("ship", 0)->skipped);
  EXPECT_THAT(world.journal().find("ship", 0)->skip_reason, HasSubstr("is false"));
}

TEST(Gate, SaysThatWhatItComparesIsNoNumber) {
  ConductorWorld world(
      plan_of_stages({command_stage("score"), gated("ship", "${{ stages.score.loss < 0.9 }}")}));
  world.script["score.0"] = {commit({{"loss", "nan"}})};
  EXPECT_EQ(world.conduct().outcome, RunOutcome::done);
  EXPECT_THAT(world.journal().find("ship", 0)->skip_reason,
              HasSubstr("is false: stages.score.loss is nan (not a number)"));
}

// Nobody has to wait for a core to learn that a stage will not run.
TEST(Gate, IsSettledWhileOtherStagesTakeAllCores) {
  ConductorWorld world(
      plan_of_stages({command_stage("score"), with_instances(command_stage("long", {"score"}), 3),
                      gated("ship", "${{ stages.score.accuracy >= 0.9 }}")}),
      /*cores=*/1);
  world.script["score.0"] = {commit({{"accuracy", 0.5}})};
  world.conduct();
  const auto& told = world.output.told;
  EXPECT_LT(std::find(told.begin(), told.end(), "ship skipped"),
            std::find(told.begin(), told.end(), "long[0] started"));
}

TEST(Gate, FailsTheInstanceWhenANameHasNoValue) {
  ConductorWorld world(
      plan_of_stages({command_stage("score"), gated("ship", "${{ stages.score.recall > 0 }}")}));
  EXPECT_EQ(world.conduct().outcome, RunOutcome::failed);
  EXPECT_THAT(world.output.messages, Contains(HasSubstr("stages.score.recall")));
}

TEST(Gate, OfAMatrixReadsTheParentOfTheSameNumber) {
  Stage ship = with_instances(gated("ship", "${{ stages.score.accuracy >= 0.9 }}"), 2);
  ConductorWorld world(plan_of_stages({with_instances(command_stage("score"), 2), ship}));
  world.script["score.0"] = {commit({{"accuracy", 0.5}})};
  world.script["score.1"] = {commit({{"accuracy", 0.95}})};
  world.conduct();
  EXPECT_THAT(world.output.told, Contains("ship[0] skipped"));
  EXPECT_THAT(world.output.told, Contains("ship[1] committed"));
}

}  // namespace
}  // namespace kernmill::testing
