#include "kernmill/plan/plan.hpp"

#include <gmock/gmock.h>

#include "plan_support.hpp"

namespace kernmill::testing {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> stage_names(const Plan& plan) {
  std::vector<std::string> names;
  for (std::uint32_t s = 0; s < plan.stage_count(); ++s) names.push_back(plan.stage(s).name);
  return names;
}

EdgeKind only_edge(const Plan& plan, const std::string& child) {
  return plan.parents(plan.stage_number(child)).at(0).kind;
}

TEST(Plan, ParentsComeBeforeTheirChildrenWhateverTheOrderOfTheFile) {
  const Plan p = plan({command("score", {"fit"}), command("fit", {"prepare"}), command("prepare")});
  EXPECT_THAT(stage_names(p), ElementsAre("prepare", "fit", "score"));
}

TEST(Plan, StagesThatDoNotWaitForEachOtherKeepTheOrderOfTheFile) {
  const Plan p = plan({command("b"), command("last", {"c", "b"}), command("a"), command("c", {"a"})});
  EXPECT_THAT(stage_names(p), ElementsAre("b", "a", "c", "last"));
}

TEST(Plan, StagesThatWaitForEachOtherAreRefused) {
  EXPECT_THROW(plan({command("a", {"b"}), command("b", {"a"})}), std::invalid_argument);
}

TEST(Plan, AStageWithoutAMatrixHasOneInstanceWithoutValues) {
  const Plan p = plan({command("fit")});
  EXPECT_EQ(p.instance_count(0), 1);
  EXPECT_EQ(p.values({0, 0}), Json::object());
  EXPECT_EQ(p.label({0, 0}), "fit");
}

// a[0] -> b[0]
// a[1] -> b[1]
TEST(Plan, StagesWithTheSameMatrixAreJoinedOneToOne) {
  const Plan p = plan({command("a", {}, one_axis(2)), command("b", {"a"}, one_axis(2))});
  EXPECT_EQ(only_edge(p, "b"), EdgeKind::each);
  EXPECT_EQ(p.referred(id(p, "b", 1), p.stage_number("a")), id(p, "a", 1));
}

TEST(Plan, StagesWithMatricesThatDifferWaitForAllInstances) {
  const Plan p = plan({command("a", {}, one_axis(2)), command("b", {"a"}, one_axis(3))});
  EXPECT_EQ(only_edge(p, "b"), EdgeKind::all);
}

TEST(Plan, ADifferentExcludeMakesADifferentMatrix) {
  Matrix smaller = one_axis(3);
  smaller.exclude = {Json{{"x", 0}}};
  const Plan p = plan({command("a", {}, one_axis(3)), command("b", {"a"}, smaller)});
  EXPECT_EQ(only_edge(p, "b"), EdgeKind::all);
}

TEST(Plan, StagesWithoutAMatrixWaitForTheWholeStage) {
  const Plan p = plan({command("a"), command("b", {"a"})});
  EXPECT_EQ(only_edge(p, "b"), EdgeKind::all);
  EXPECT_EQ(p.referred(id(p, "b"), 0), id(p, "a"));
}

TEST(Plan, ACollectingStageRefersToNoneOfTheInstancesItWaitsFor) {
  const Plan p = plan({command("a", {}, one_axis(2)), command("collect", {"a"})});
  EXPECT_EQ(p.referred(id(p, "collect"), p.stage_number("a")), std::nullopt);
}

TEST(Plan, AReferenceToATuneStageMeansItsReduce) {
  const Plan p = plan({tune("search", {}, 3), command("fit", {"search"})});
  EXPECT_EQ(p.referred(id(p, "fit"), p.stage_number("search")), id(p, "search", 3));
}

TEST(Plan, MatrixValuesAreFilledInAndStageReferencesStay) {
  Stage stage = command("fit", {}, one_axis(3));
  stage.config = {{"model", {{"C", "${{ matrix.x }}"}}}, {"note", "x=${{ matrix.x }}"}};
  stage.env = {{"ACCURACY", "${{ stages.score.accuracy }} of ${{ matrix.x }}"}};
  const Plan p = plan({stage});
  EXPECT_EQ(p.config({0, 2}), Json({{"model", {{"C", 2}}}, {"note", "x=2"}}));
  EXPECT_EQ(p.env({0, 2}), Json({{"ACCURACY", "${{ stages.score.accuracy }} of 2"}}));
}

TEST(Plan, AnInputFileMayDependOnTheMatrix) {
  Stage stage = command("fit", {}, one_axis(3));
  stage.inputs = {{"input", "", "", "/data/part-${{ matrix.x }}.csv", {}},
                  {"data", "prepare", "dataset", "", {}}};
  const Plan p = plan({stage});
  EXPECT_EQ(p.inputs({0, 2})[0].path, "/data/part-2.csv");
  EXPECT_EQ(p.inputs({0, 2})[1].stage, "prepare");
}

TEST(Plan, ResourcesMayDependOnTheMatrix) {
  Stage stage = command("fit", {}, one_axis(3));
  stage.resources = {{"ntasks", "${{ matrix.x + 1 }}"}, {"cpus_per_task", 2}};
  const Plan p = plan({stage});
  EXPECT_EQ(p.resources({0, 0}).ntasks, 1);
  EXPECT_EQ(p.resources({0, 2}).ntasks, 3);
  EXPECT_EQ(p.resources({0, 2}).cpus_per_task, 2);
}

TEST(Plan, InstancesAreLabelledByNumber) {
  const Plan p = plan({command("a", {}, one_axis(2)), tune("search", {}, 2)});
  EXPECT_EQ(p.label(id(p, "a", 1)), "a[1]");
  EXPECT_EQ(p.label(id(p, "search", 0)), "search[0]");
  EXPECT_EQ(p.label(id(p, "search", 2)), "search.reduce");
}

TEST(Plan, TotalCountsEveryInstanceOfEveryStage) {
  const Plan p = plan({command("a", {}, one_axis(5)), tune("search", {}, 3), command("c")});
  EXPECT_EQ(p.total_instances(), 5 + (3 + 1) + 1);
}

TEST(Plan, AnUnknownStageNameIsOutOfRange) {
  EXPECT_THROW((void)plan({command("a")}).stage_number("b"), std::out_of_range);
}

TEST(Plan, TheLastInstanceOfATuneStageIsItsReduce) {
  const Plan p = plan({tune("search", {}, 2)});
  EXPECT_EQ(p.instance_count(0), 3);
  EXPECT_FALSE(p.is_reduce({0, 1}));
  EXPECT_TRUE(p.is_reduce({0, 2}));
  EXPECT_EQ(p.values({0, 2}), Json::object());
}

TEST(Plan, ATrialIsTheTrainingWithItsPointAndTheObjectiveAlone) {
  const Plan p = plan({tune("search", {}, 3)});
  EXPECT_EQ(p.config({0, 2}), Json({{"train", {{"optimizer", {{"learning_rate", 2}}}}},
                                    {"objective", {{"metric", "accuracy"}, {"goal", "maximize"}}}}));
  EXPECT_EQ(p.values({0, 2}), Json({{"optimizer.learning_rate", 2}}));
}

TEST(Plan, ATrialThatRunsACommandHasItsPointInWhatItRuns) {
  Stage search = tune("search", {}, 2);
  search.config = {{"run", "train ${{ point.lr }} ${{ point.kind }}"},
                   {"restart", ""},
                   {"outputs", {"${{ point.kind }}.pt"}},
                   {"space",
                    {{"lr", {{"type", "choice"}, {"values", {0.001, 0.1}}, {"texts", {"1e-3", ""}}}},
                     {"kind", {{"type", "choice"}, {"values", {"a"}}}}}},
                   {"strategy", {{"type", "grid"}}},
                   {"objective", {{"metric", "loss"}, {"goal", "minimize"}}}};
  search.env = {{"TWICE", "${{ point.lr * 2 }}"}};
  const Plan p = plan({search});
  EXPECT_EQ(p.config({0, 0}), Json({{"run", "train 1e-3 a"}, {"restart", ""}, {"outputs", {"a.pt"}}}));
  EXPECT_EQ(p.config({0, 1}).at("run"), "train 0.1 a");
  EXPECT_EQ(p.env({0, 0}), Json({{"TWICE", 0.002}}));
  EXPECT_EQ(p.written_values({0, 0}), Json({{"lr", "1e-3"}, {"kind", "a"}}));
  EXPECT_FALSE(p.config({0, 2}).contains("run")) << "the reduce runs no command";
}

TEST(Plan, TheReduceTakesOneCoreWhateverTheTrialsTake) {
  Stage search = tune("search", {}, 2);
  search.resources = {{"ntasks", 8}, {"cpus_per_task", 2}, {"partition", "long"}};
  const Plan p = plan({search});
  EXPECT_EQ(p.resources({0, 0}).cores(), 16);
  EXPECT_EQ(p.resources({0, 2}).cores(), 1);
  EXPECT_EQ(p.resources({0, 2}).partition, "long");
}

TEST(Plan, ATuneStageWithAMatrixIsRefused) {
  Stage search = tune("search", {}, 2);
  search.matrix = one_axis(2);
  EXPECT_THROW(plan({search}), std::invalid_argument);
}

}  // namespace
}  // namespace kernmill::testing
