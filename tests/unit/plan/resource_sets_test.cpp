#include "kernmill/plan/resource_sets.hpp"

#include <gtest/gtest.h>

#include "plan_support.hpp"

namespace kernmill::testing {
namespace {

Matrix::Axis axis(std::string name, int values) {
  Matrix::Axis axis{std::move(name), {}};
  for (int v = 1; v <= values; ++v) axis.values.emplace_back(v);
  return axis;
}

Plan plan_with(Matrix matrix, Json resources) {
  Stage stage = command("s", {}, std::move(matrix));
  stage.resources = std::move(resources);
  return plan({stage});
}

/// {values, ntasks, instances} of each set.
Json summary(const Plan& plan) {
  Json list = Json::array();
  for (const ResourceSet& set : resource_sets(plan, 0))
    list.push_back({set.values, set.resources.ntasks, set.instances});
  return list;
}

const Json ntasks_of_n{{"ntasks", "${{ matrix.n }}"}};

TEST(ResourceSets, AMillionInstancesThatAskForTheSameAreOne) {
  const Plan plan = plan_with({{axis("a", 1000), axis("b", 1000)}, {}, {}}, {{"ntasks", 4}});
  EXPECT_EQ(summary(plan), Json::parse("[[{}, 4, 1000000]]"));
}

TEST(ResourceSets, AreCountedByTheAxesThatTheResourcesMention) {
  const Plan plan = plan_with({{axis("a", 1000), axis("n", 2), axis("b", 100)}, {}, {}}, ntasks_of_n);
  EXPECT_EQ(summary(plan), Json::parse(R"([[{"n": 1}, 1, 100000], [{"n": 2}, 2, 100000]])"));
}

TEST(ResourceSets, LeaveOutWhatTheMatrixExcludes) {
  const Plan plan = plan_with(
      {{axis("n", 3), axis("a", 2), axis("b", 10)},
       {Json{{"n", 1}}, Json{{"n", 2}, {"a", 1}}, Json{{"a", 1}, {"n", 3}}, Json{{"a", 2}, {"n", 3}}},
       {}},
      ntasks_of_n);
  EXPECT_EQ(summary(plan), Json::parse(R"([[{"n": 2}, 2, 10]])"));
  EXPECT_EQ(plan.instance_count(0), 10u);
}

TEST(ResourceSets, CountWhatTheMatrixIncludes) {
  const Plan plan = plan_with({{axis("n", 2)}, {}, {Json{{"n", 2}}, Json{{"n", 7}}}}, ntasks_of_n);
  EXPECT_EQ(summary(plan), Json::parse(R"([[{"n": 1}, 1, 1], [{"n": 2}, 2, 2], [{"n": 7}, 7, 1]])"));
}

TEST(ResourceSets, ReduceOfATuneStageIsItsOwn) {
  Stage stage = tune("search", {}, 8);
  stage.resources = {{"ntasks", 4}};
  const Plan made = plan({stage});
  EXPECT_EQ(summary(made), Json::parse("[[{}, 4, 8], [{}, 1, 1]]"));
  EXPECT_TRUE(resource_sets(made, 0).back().reduce);
}

}  // namespace
}  // namespace kernmill::testing
