#include "kernmill/run/change/plan_changes.hpp"

#include <gmock/gmock.h>

#include "plan_support.hpp"

namespace kernmill::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A record in which these instances have committed.
RunRecord committed(const std::vector<std::pair<std::string, unsigned>>& instances) {
  RunRecord record;
  for (const auto& key : instances) {
    InstanceRecord& instance = record.instances[key];
    instance.committed = true;
    AttemptRecord attempt;
    attempt.number = 1;
    attempt.state = AttemptState::committed;
    instance.attempts.push_back(attempt);
  }
  return record;
}

Matrix axes(std::vector<std::pair<std::string, std::vector<Json>>> axes) {
  Matrix matrix;
  for (auto& [name, values] : axes) matrix.axes.push_back({name, std::move(values)});
  return matrix;
}

Json values(const Workflow& flow, const std::string& stage) {
  const Plan after(flow);
  Json all = Json::array();
  const std::uint32_t number = after.stage_number(stage);
  for (std::uint32_t i = 0; i < after.instance_count(number); ++i) all.push_back(after.values({number, i}));
  return all;
}

TEST(PlanChanges, OfTheSameWorkflowAreNone) {
  const PlanChanges changes =
      plan_changes(plan({command("a"), command("b", {"a"})}), workflow({command("a"), command("b", {"a"})}),
                   committed({{"a", 0}}));
  EXPECT_THAT(changes.told, IsEmpty());
  EXPECT_THAT(changes.redo, IsEmpty());
}

TEST(PlanChanges, AnotherCommandIsRunAgainWhereItHasFinished) {
  Stage edited = command("a");
  edited.config["run"] = "false";
  const PlanChanges changes = plan_changes(plan({command("a"), command("b")}),
                                           workflow({edited, command("b")}), committed({{"a", 0}, {"b", 0}}));
  EXPECT_THAT(changes.redo, ElementsAre(::testing::Pair(std::pair<std::string, unsigned>("a", 0),
                                                        "setting run changed (\"true\" -> \"false\")")));
}

TEST(PlanChanges, OtherResourcesRunNothingAgain) {
  Stage edited = command("a");
  edited.resources["time"] = 10;
  const PlanChanges changes = plan_changes(plan({command("a")}), workflow({edited}), committed({{"a", 0}}));
  EXPECT_THAT(changes.redo, IsEmpty());
  EXPECT_THAT(changes.told, ElementsAre(HasSubstr("a: resources {} -> {\"time\":10}")));
}

// A stage that the journal speaks of stays, and does nothing more.
TEST(PlanChanges, AStageThatIsGoneStaysSwitchedOffWhereItHasBegun) {
  const Plan before = plan({command("a"), command("b", {"a"}), command("c")});
  const PlanChanges changes = plan_changes(before, workflow({command("a")}), committed({{"b", 0}}));
  ASSERT_NE(changes.workflow.find("b"), nullptr);
  EXPECT_EQ(changes.workflow.find("b")->when, "${{ false }}");
  EXPECT_THAT(changes.workflow.find("b")->needs, IsEmpty());
  EXPECT_EQ(changes.workflow.find("c"), nullptr);
  const PlanChanges again =
      plan_changes(Plan(changes.workflow), workflow({command("a")}), committed({{"b", 0}}));
  EXPECT_THAT(again.told, IsEmpty());
}

TEST(PlanChanges, AMatrixThatGrowsKeepsTheNumbersOfWhatThereWas) {
  const auto study = [](std::vector<Json> y) {
    return command("a", {}, axes({{"x", {1, 2}}, {"y", std::move(y)}}));
  };
  const PlanChanges changes =
      plan_changes(plan({study({1, 2})}), workflow({study({1, 2, 3})}), committed({{"a", 3}}));
  EXPECT_THAT(changes.refusals, IsEmpty());
  EXPECT_THAT(changes.redo, IsEmpty());
  EXPECT_EQ(values(changes.workflow, "a"),
            Json::parse(
                R"([{"x":1,"y":1},{"x":1,"y":2},{"x":2,"y":1},{"x":2,"y":2},{"x":1,"y":3},{"x":2,"y":3}])"));
}

TEST(PlanChanges, StagesOfOneMatrixStayJoined) {
  const auto flow = [](std::vector<Json> y) {
    const Matrix matrix = axes({{"x", {1, 2}}, {"y", std::move(y)}});
    return std::vector{command("a", {}, matrix), command("b", {"a"}, matrix)};
  };
  auto edited = flow({1, 2, 3});
  edited.push_back(command("c", {"b"}, edited[0].matrix));
  const PlanChanges changes = plan_changes(plan(flow({1, 2})), workflow(edited), committed({{"a", 0}}));
  const Plan after(changes.workflow);
  EXPECT_EQ(after.parents(after.stage_number("b"))[0].kind, EdgeKind::each);
  EXPECT_EQ(after.parents(after.stage_number("c"))[0].kind, EdgeKind::each);
}

TEST(PlanChanges, WhatHasBegunAndWouldBeAnotherInstanceIsRefused) {
  const auto flow = [](std::vector<Json> x) { return command("a", {}, axes({{"x", std::move(x)}})); };
  const auto refusals = [&](std::vector<Json> now, unsigned begun) {
    return plan_changes(plan({flow({1, 2, 3})}), workflow({flow(std::move(now))}), committed({{"a", begun}}))
        .refusals;
  };
  EXPECT_THAT(refusals({1, 2}, 1), IsEmpty());
  EXPECT_THAT(refusals({1, 3}, 0), IsEmpty());
  EXPECT_THAT(refusals({1, 2}, 2), ElementsAre(HasSubstr("a[2] has begun with {\"x\":3}")));
  EXPECT_THAT(refusals({7, 2, 3}, 0), ElementsAre(HasSubstr("a[0] has begun with {\"x\":1}")));
}

TEST(PlanChanges, ASearchThatHasEndedKeepsItsNumberOfTrials) {
  const Plan before = plan({tune("search", {}, 3)});
  EXPECT_THAT(plan_changes(before, workflow({tune("search", {}, 4)}), committed({{"search", 3}})).refusals,
              ElementsAre(HasSubstr("search.reduce has begun with 3 trials")));
  EXPECT_THAT(plan_changes(before, workflow({tune("search", {}, 4)}), committed({{"search", 2}})).refusals,
              IsEmpty());
}

TEST(PlanChanges, AnotherKeyIsRefused) {
  Workflow edited = workflow({command("a")});
  edited.encryption.key_env = "KEY";
  EXPECT_THAT(plan_changes(plan({command("a")}), edited, {}).refusals,
              ElementsAre(HasSubstr("'encryption'")));
}

}  // namespace
}  // namespace kernmill::testing
