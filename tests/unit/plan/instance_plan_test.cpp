#include "kernmill/plan/instance_plan.hpp"

#include <gtest/gtest.h>

#include "plan_support.hpp"

namespace kernmill::testing {
namespace {

/// prepare; fit and score of the same matrix, with a value left out, one added and texts; other, whose matrix
/// has as many values and the same at some numbers; last, which waits for all.
Plan sample() {
  Matrix matrix = one_axis(5);
  matrix.axes[0].texts = {"0", "1", "2", "3", "4.0"};
  matrix.exclude = {Json{{"x", 1}}};
  matrix.include = {Json{{"x", 40}}};
  matrix.include_texts = {Json{{"x", "4e1"}}};
  Matrix another = one_axis(5);
  another.axes[0].values[2] = 20;
  Stage fit = command("fit", {"prepare"}, matrix);
  fit.config = {{"run", "fit ${{ matrix.x }}"}};
  return plan({command("prepare"), fit, command("score", {"fit"}, matrix), command("other", {"fit"}, another),
               command("last", {"score", "other"}), tune("search", {"prepare"}, 3)});
}

Plan of_instance(const Plan& whole, InstanceId id) {
  return plan_from_json(Json::parse(InstancePlans(whole).of(id).dump()));
}

TEST(InstancePlan, SaysOfItsInstanceWhatTheWholePlanSays) {
  const Plan whole = sample();
  for (std::uint32_t s = 0; s < whole.stage_count(); ++s)
    for (std::uint32_t i = 0; i < whole.instance_count(s); ++i) {
      const Plan part = of_instance(whole, {s, i});
      EXPECT_EQ(part.label({s, i}), whole.label({s, i}));
      EXPECT_EQ(part.values({s, i}), whole.values({s, i}));
      EXPECT_EQ(part.written_values({s, i}), whole.written_values({s, i}));
      EXPECT_EQ(part.config({s, i}), whole.config({s, i}));
      EXPECT_EQ(part.is_reduce({s, i}), whole.is_reduce({s, i}));
      for (std::uint32_t parent = 0; parent < s; ++parent)
        EXPECT_EQ(part.referred({s, i}, parent), whole.referred({s, i}, parent));
    }
}

TEST(InstancePlan, HasTheSameInstancesAndEdges) {
  const Plan whole = sample();
  EXPECT_EQ(to_json(of_instance(whole, {2, 3})).at("plan"), to_json(whole).at("plan"));
}

TEST(InstancePlan, KnowsTheParentOfItsNumber) {
  const Plan whole = sample();
  EXPECT_EQ(of_instance(whole, {2, 4}).values({1, 4}), Json({{"x", 40}}));
}

TEST(InstancePlan, KnowsNoOtherInstance) {
  EXPECT_THROW((void)of_instance(sample(), {2, 3}).values({2, 2}), std::out_of_range);
  EXPECT_THROW((void)of_instance(sample(), {2, 3}).values({3, 3}), std::out_of_range);
}

TEST(InstancePlan, IsAsLongInALargeRunAsInASmallOne) {
  const auto length = [](int instances) {
    const Plan whole =
        plan({command("a", {}, one_axis(instances)), command("b", {"a"}, one_axis(instances))});
    return InstancePlans(whole).of({1, 7}).dump().size();
  };
  EXPECT_LE(length(90'000), length(10) + 20);  // digits of the numbers of instances
}

}  // namespace
}  // namespace kernmill::testing
