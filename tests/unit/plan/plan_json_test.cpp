#include <gmock/gmock.h>

#include "plan_support.hpp"

namespace kernmill::testing {
namespace {

Plan sample() {
  Matrix matrix = one_axis(4);
  matrix.exclude = {Json{{"x", 1}}};
  Stage fit = command("fit", {"prepare"}, matrix);
  fit.config = {{"C", "${{ matrix.x }}"}};
  return plan({command("prepare"), fit, command("score", {"fit"}, matrix), tune("search", {"prepare"}, 3)});
}

Plan reread(const Plan& plan) {
  return plan_from_json(Json::parse(to_json(plan).dump()));
}

TEST(PlanJson, AReadPlanIsWrittenAsItWas) {
  EXPECT_EQ(to_json(reread(sample())), to_json(sample()));
}

TEST(PlanJson, AReadPlanHasTheSameInstances) {
  const Plan before = sample();
  const Plan after = reread(before);
  ASSERT_EQ(after.total_instances(), before.total_instances());
  for (std::uint32_t s = 0; s < before.stage_count(); ++s)
    for (std::uint32_t i = 0; i < before.instance_count(s); ++i) {
      EXPECT_EQ(after.label({s, i}), before.label({s, i}));
      EXPECT_EQ(after.values({s, i}), before.values({s, i}));
      EXPECT_EQ(after.config({s, i}), before.config({s, i}));
    }
}

TEST(PlanJson, TellsOtherProgramsInstancesAndEdges) {
  const Json json = to_json(sample());
  EXPECT_EQ(json["schema_version"], 1);
  EXPECT_EQ(json["instances"], 1 + 3 + 3 + 4);
  EXPECT_EQ(json["plan"][2],
            Json({{"name", "score"}, {"instances", 3}, {"parents", {{{"stage", "fit"}, {"kind", "each"}}}}}));
}

TEST(PlanJson, AMatrixStaysUnexpanded) {
  const Plan large =
      plan({command("a", {}, {{one_axis(1000).axes[0], {"y", one_axis(1000).axes[0].values}}, {}, {}})});
  EXPECT_LT(to_json(large).dump().size(), 20000);
}

TEST(PlanJson, AnotherSchemaVersionIsRefusedWithAWayOut) {
  Json json = to_json(sample());
  json["schema_version"] = 2;
  EXPECT_THAT([&] { (void)plan_from_json(json); },
              ::testing::ThrowsMessage<std::runtime_error>(::testing::HasSubstr("schema_version is 2")));
}

TEST(PlanJson, APlanThatDoesNotFollowFromItsWorkflowIsRefused) {
  Json json = to_json(sample());
  json["plan"][1]["instances"] = 4;
  EXPECT_THROW((void)plan_from_json(json), std::runtime_error);
}

TEST(PlanJson, WhatIsNoPlanIsRefused) {
  EXPECT_THROW((void)plan_from_json(Json::array()), std::runtime_error);
}

}  // namespace
}  // namespace kernmill::testing
