#include "kernmill/run/cache/prediction.hpp"

#include <gmock/gmock.h>

#include "cache_support.hpp"
#include "plan_support.hpp"

namespace kernmill::testing {
namespace {

constexpr const char* cached = "cached: same task, configuration, inputs and program as in run-1";

Stage task(TaskKind kind, const std::string& name, std::vector<Input> inputs, Json config) {
  Stage stage;
  stage.name = name;
  stage.kind = kind;
  stage.config = std::move(config);
  for (const Input& input : inputs)
    if (!input.stage.empty()) stage.needs.push_back(input.stage);
  stage.inputs_declared = !inputs.empty();
  stage.inputs = std::move(inputs);
  return stage;
}

class Prediction : public ::testing::Test {
 protected:
  Prediction() { lab_.put("iris.csv", "5.1,setosa"); }

  [[nodiscard]] Stage prepare() const {
    return task(TaskKind::preprocess, "prepare", {{"input", "", "", lab_.file("iris.csv").string(), {}}},
                {{"scale", "standard"}});
  }
  static Stage fit(double c = 1.0) {
    return task(TaskKind::train, "fit", {{"data", "prepare", "dataset", "", {}}}, {{"model", {{"C", c}}}});
  }
  static Stage score() {
    return task(TaskKind::evaluate, "score", {{"model", "fit", "model", "", {}}}, Json::object());
  }

  /// prepare -> fit -> score
  [[nodiscard]] Plan chain(double c = 1.0) const { return made({prepare(), fit(c), score()}); }
  [[nodiscard]] Plan made(std::vector<Stage> stages) const {
    Workflow flow = workflow(std::move(stages));
    flow.base_directory = lab_.file("").parent_path().string();
    return Plan(flow);
  }

  Laboratory lab_;
};

TEST_F(Prediction, WithoutEarlierRunsEverythingRuns) {
  EXPECT_EQ(lab_.told(chain(), "prepare"), "runs: no earlier result");
  EXPECT_EQ(lab_.told(chain(), "fit"), "runs: prepare will run first");
  EXPECT_EQ(lab_.told(chain(), "score"), "runs: fit will run first");
}

TEST_F(Prediction, WhatHasNotChangedIsCachedToTheEndOfTheChain) {
  lab_.carry_out(chain(), "run-1");
  for (const char* label : {"prepare", "fit", "score"}) EXPECT_EQ(lab_.told(chain(), label), cached);
}

TEST_F(Prediction, AChangedInputRunsAllThatDependsOnIt) {
  lab_.carry_out(chain(), "run-1");
  lab_.put("iris.csv", "4.9,setosa");
  EXPECT_EQ(lab_.told(chain(), "prepare"), "runs: input iris.csv changed");
  EXPECT_EQ(lab_.told(chain(), "fit"), "runs: prepare will run first");
}

TEST_F(Prediction, AChangedSettingLeavesWhatComesBeforeItCached) {
  lab_.carry_out(chain(1.0), "run-1");
  EXPECT_EQ(lab_.told(chain(10.0), "prepare"), cached);
  EXPECT_EQ(lab_.told(chain(10.0), "fit"), "runs: setting model.C changed (1.0 -> 10.0)");
  EXPECT_EQ(lab_.told(chain(10.0), "score"), "runs: fit will run first");
}

TEST_F(Prediction, GoingBackToAnEarlierSettingFindsItsResult) {
  lab_.carry_out(chain(1.0), "run-1");
  lab_.carry_out(chain(10.0), "run-2");
  EXPECT_EQ(lab_.told(chain(1.0), "fit"), cached);
}

TEST_F(Prediction, AnotherProgramRunsItAnew) {
  lab_.carry_out(chain(), "run-1");
  lab_.programs.task = "another build";
  EXPECT_EQ(lab_.told(chain(), "prepare"), "runs: program kernmill-task changed");
}

TEST_F(Prediction, AResultWhoseArtifactsAreGoneRunsAnew) {
  lab_.carry_out(chain(), "run-1");
  fs::remove_all(lab_.runs_root() / "run-1");
  EXPECT_EQ(lab_.told(chain(), "prepare"),
            "runs: the artifacts of its result in run-1 are gone or were changed");
}

TEST_F(Prediction, NoCacheSaysSo) {
  lab_.carry_out(chain(), "run-1");
  const CachePrediction prediction = lab_.predicted(chain(), {.no_cache = true});
  for (std::uint32_t stage = 0; stage < 3; ++stage)
    EXPECT_EQ(to_string(prediction.of({stage, 0})), "runs: --no-cache");
}

TEST_F(Prediction, SaysHowManyMoreDifferencesThereAre) {
  Stage before = fit(), now = fit();
  for (const char* name : {"a", "b", "c", "d"}) {
    before.config[name] = 1;
    now.config[name] = 2;
  }
  lab_.carry_out(made({prepare(), before}), "run-1");
  EXPECT_EQ(lab_.told(made({prepare(), now}), "fit"),
            "runs: setting a changed (1 -> 2); setting b changed (1 -> 2); and 2 more");
}

// prepare -> fit[0..2] -> score[0..2]
TEST_F(Prediction, OnlyTheInstancesWhoseValuesAreNewRun) {
  const auto study = [&](std::vector<Json> values) {
    Stage fits = fit(), scores = score();
    fits.config["model"]["C"] = "${{ matrix.C }}";
    fits.matrix = scores.matrix = {{{"C", std::move(values)}}, {}, {}};
    return made({prepare(), fits, scores});
  };
  lab_.carry_out(study({1, 2, 3}), "run-1");
  EXPECT_EQ(lab_.told(study({1, 7, 3}), "fit[0]"), cached);
  EXPECT_EQ(lab_.told(study({1, 7, 3}), "fit[1]"), "runs: setting model.C changed (2 -> 7)");
  EXPECT_EQ(lab_.told(study({1, 7, 3}), "score[1]"), "runs: fit[1] will run first");
  EXPECT_EQ(lab_.told(study({1, 7, 3}), "score[2]"), cached);
}

// prepare -> search[0..2] -> search.reduce -> fit
TEST_F(Prediction, ATuneStageIsCachedWithItsReduceAndWhatFollows) {
  const auto search = [&](int trials) {
    Stage stage = tune("search", {"prepare"}, trials);
    stage.inputs = {{"data", "prepare", "dataset", "", {}}};
    Stage best =
        task(TaskKind::train, "fit", {{"config", "search", "best", "", {}}}, {{"tune_stage", "search"}});
    return made({prepare(), stage, best});
  };
  lab_.carry_out(search(3), "run-1", {{"search", {{"value", 0.9}}}});
  for (const char* label : {"search[0]", "search[2]", "search.reduce", "fit"})
    EXPECT_EQ(lab_.told(search(3), label), cached);
  EXPECT_EQ(lab_.told(search(4), "search[2]"), cached);
  EXPECT_THAT(lab_.told(search(4), "search[3]"), ::testing::StartsWith("runs: "));
  EXPECT_EQ(lab_.told(search(4), "search.reduce"), "runs: not every trial of search has a result yet");
  EXPECT_EQ(lab_.told(search(4), "fit"), "runs: search will run first");
}

TEST_F(Prediction, AWhenThatIsKnownToBeFalseSkipsTheStageAndItsChildren) {
  Stage gated = score();
  gated.when = "${{ stages.fit.accuracy >= 0.9 }}";
  const Plan plan = made({prepare(), fit(), gated, command("after", {"score"})});
  EXPECT_EQ(lab_.told(plan, "score"), "runs: fit will run first");
  lab_.carry_out(plan, "run-1", {{"fit", {{"accuracy", 0.5}}}});
  EXPECT_EQ(lab_.told(plan, "score"), "skipped: its `when` is false");
  EXPECT_EQ(lab_.told(plan, "after"), "skipped: score is skipped");
}

TEST_F(Prediction, AWhenThatIsTrueChangesNothing) {
  Stage gated = score();
  gated.when = "${{ stages.fit.accuracy >= 0.9 }}";
  const Plan plan = made({prepare(), fit(), gated});
  lab_.carry_out(plan, "run-1", {{"fit", {{"accuracy", 0.95}}}});
  EXPECT_EQ(lab_.told(plan, "score"), cached);
}

TEST_F(Prediction, CountsInstancesByWhatBecomesOfThem) {
  lab_.carry_out(chain(1.0), "run-1");
  const Plan now = chain(10.0);
  const CachePrediction prediction = lab_.predicted(now);
  EXPECT_EQ(prediction.count(now.stage_number("prepare"), Decision::What::cached), 1);
  EXPECT_EQ(prediction.count(now.stage_number("fit"), Decision::What::runs), 1);
}

/// A command that declares what it reads and leaves.
Stage declared(const std::string& name, std::vector<std::string> needs = {}, Matrix matrix = {}) {
  Stage stage = command(name, std::move(needs), std::move(matrix));
  stage.inputs_declared = true;
  stage.config["outputs"] = {"out.txt"};
  return stage;
}

// part[0..2] -> collect, which names nothing of them
TEST_F(Prediction, ACommandDependsOnAllThatItsNeedsLeave) {
  const auto flow = [&](const std::string& run, bool order_only) {
    Stage part = declared("part", {}, one_axis(3)), collect = declared("collect", {"part"});
    part.config["run"] = run;
    if (order_only) collect.order_only = {"part"};
    return made({part, collect});
  };
  lab_.carry_out(flow("old", false), "run-1");
  EXPECT_EQ(lab_.told(flow("old", false), "collect"), cached);
  EXPECT_EQ(lab_.told(flow("new", false), "collect"), "runs: part will run first");
  lab_.carry_out(made({flow("new", false).stage(0)}), "run-1");
  EXPECT_EQ(lab_.told(flow("new", false), "collect"), "runs: what part leaves changed");
  lab_.carry_out(flow("old", true), "run-1");
  EXPECT_EQ(lab_.told(flow("another", true), "collect"), cached);
}

TEST_F(Prediction, WhatACommandWithoutOutputsLeavesIsNotKnown) {
  const Plan plan = made({command("part"), declared("collect", {"part"})});
  EXPECT_THAT(lab_.told(plan, "collect"),
              ::testing::HasSubstr("runs: what part leaves is not known: it declares no outputs"));
}

// Its file may be what `fetch` brings.
TEST_F(Prediction, ATaskIsNotTakenFromTheCacheBeforeWhatItWaitsFor) {
  Stage prepared = prepare();
  lab_.carry_out(made({prepared}), "run-1");
  prepared.needs = {"fetch"};
  EXPECT_EQ(lab_.told(made({command("fetch"), prepared}), "prepare"), "runs: fetch will run first");
  prepared.order_only = {"fetch"};
  EXPECT_EQ(lab_.told(made({command("fetch"), prepared}), "prepare"), cached);
}

// simulate[0..999999] -> analyse[0..999999]
TEST_F(Prediction, AMillionCommandsShareOneDecision) {
  Matrix matrix{{one_axis(1000).axes[0], {"y", one_axis(1000).axes[0].values}}, {}, {}};
  const Plan study = plan({command("simulate", {}, matrix), command("analyse", {"simulate"}, matrix)});
  const CachePrediction prediction = lab_.predicted(study);
  for (std::uint32_t stage = 0; stage < 2; ++stage) {
    ASSERT_NE(prediction.shared(stage), nullptr);
    EXPECT_EQ(prediction.count(stage, Decision::What::runs), 1000000);
  }
}

TEST_F(Prediction, AMillionTasksBehindAStageThatRunsShareOneDecision) {
  Stage fits = fit();
  fits.matrix = {{one_axis(1000).axes[0], {"y", one_axis(1000).axes[0].values}}, {}, {}};
  const Plan study = made({prepare(), fits});
  const CachePrediction prediction = lab_.predicted(study);
  ASSERT_NE(prediction.shared(1), nullptr);
  EXPECT_EQ(to_string(prediction.of({1, 999999})), "runs: prepare will run first");
}

}  // namespace
}  // namespace kernmill::testing
