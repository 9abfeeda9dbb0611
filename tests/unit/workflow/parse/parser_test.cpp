#include <fmt/format.h>
#include <gmock/gmock.h>

#include "workflow_fixture.hpp"

namespace kernmill {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Parsed design() {
  return parse_good(read_text(KERNMILL_EXAMPLES "/design.yaml"));
}

TEST(Parser, ReadsAllFiveTaskKindsAndACommand) {
  const Parsed parsed = design();
  ASSERT_EQ(parsed.workflow.stages.size(), 6u);
  EXPECT_EQ(parsed.workflow.name, "iris-svm");
  EXPECT_EQ(parsed.workflow.base_directory, "/flows");
  EXPECT_EQ(parsed.stage("ship").kind, TaskKind::deploy);
  EXPECT_EQ(parsed.stage("notify").kind, TaskKind::command);
}

TEST(Parser, FillsInTheDefaultsOfAPreprocessStage) {
  const Json expected =
      Json::parse(R"({"format": "auto", "delimiter": "auto", "decimal": ".", "header": true, "datasets": [],
    "external_files": false, "max_expansion": 100, "missing": [], "on_bad_row": "error", "buffer": 536870912, "target": {"column": "species", "type": "auto"},
    "features": [], "drop": [], "impute": {"with": "none", "value": "", "indicator": false},
    "encode": {"as": "none", "unknown": "error"}, "scale": "standard", "precision": "auto", "sparse": "auto", "columns": {},
    "split": {"type": "random", "test": 0.2, "validation": 0.0, "stratify": true, "group": "", "seed": 7},
    "balance": "none", "shuffle": false, "seed": 0, "series": null})");
  EXPECT_EQ(design().stage("prepare").config, expected);
}

TEST(Parser, FillsInTheDefaultsOfTheTrainingOfATrial) {
  const Json expected = Json::parse(R"({"train": {
      "model": {"type": "linear_svm", "C": 1.0, "loss": "squared_hinge", "regularize_bias": true},
      "optimizer": {"type": "newton", "max_iterations": 200, "tolerance": 1e-10,
                    "objective_tolerance": 1e-6},
      "seed": 0, "checkpoint": {"every": 100, "keep": 2}},
    "strategy": {"type": "random", "trials": 64, "seed": 0},
    "objective": {"metric": "accuracy", "goal": "maximize", "validation": {"folds": 5}},
    "space": {"model.C": {"type": "log_uniform", "low": 0.001, "high": 1000.0}}})");
  EXPECT_EQ(design().stage("search").config, expected);
}

TEST(Parser, MakesReferencesInputsAndDependencies) {
  const Parsed parsed = design();
  const Stage& fit = parsed.stage("fit");
  ASSERT_EQ(fit.inputs.size(), 2u);
  EXPECT_EQ(fit.inputs[0].stage, "prepare");
  EXPECT_EQ(fit.inputs[0].artifact, "dataset");
  EXPECT_EQ(fit.inputs[1].key, "config");
  EXPECT_EQ(fit.inputs[1].artifact, "best");
  EXPECT_THAT(fit.needs, ElementsAre("prepare", "search"));
  EXPECT_EQ(parsed.stage("ship").inputs[1].path, "/flows/data/new_flowers.csv");
}

TEST(Parser, MakesStagesInExpressionsDependencies) {
  const Parsed parsed = design();
  EXPECT_THAT(parsed.stage("notify").needs, ElementsAre("score"));
  EXPECT_EQ(parsed.stage("notify").env.at("ACCURACY"), "${{ stages.score.accuracy }}");
  EXPECT_EQ(parsed.stage("ship").when, "${{ stages.score.accuracy >= 0.9 }}");
}

TEST(Parser, FillsInNothingWhereAConfigurationIsTakenFromATuneStage) {
  EXPECT_EQ(design().stage("fit").config, Json::object());
  const Parsed parsed = parse_good(read_text(KERNMILL_EXAMPLES "/design.yaml") +
                                   "  again: {task: train, data: prepare, config: search, model: {C: 2}}\n");
  EXPECT_EQ(parsed.stage("again").config, Json::parse(R"({"model": {"C": 2.0}})"));
}

TEST(Parser, ChoosesTheOptimizerByTheModel) {
  const Parsed parsed =
      parse_good(prepare + "  fit: {task: train, data: prepare, model: {type: mlp, hidden: 20}}\n");
  const Json& config = parsed.stage("fit").config;
  EXPECT_EQ(config.at("optimizer").at("type"), "adam");
  EXPECT_EQ(config.at("checkpoint").at("every"), 10);
  EXPECT_EQ(config.at("model").at("hidden"), Json::array({20}));
}

Json checkpoint_of(const std::string& checkpoint) {
  return parse_good(prepare + "  fit: {task: train, data: prepare, model: {type: softmax}, checkpoint: " +
                    checkpoint + "}\n")
      .stage("fit")
      .config.at("checkpoint");
}

TEST(Parser, TakesCheckpointsByStepsByTimeAndByCost) {
  EXPECT_EQ(checkpoint_of("5"), Json::parse(R"({"every": 5, "keep": 2})"));
  EXPECT_EQ(checkpoint_of("90s").at("every"), "90s");
  EXPECT_EQ(checkpoint_of("1h30m").at("every"), "5400s");
  EXPECT_EQ(checkpoint_of("{every: auto, mtbf: 12h, keep: 3, keep_every: 100}"),
            Json::parse(R"({"every": "auto", "mtbf": "43200s", "keep": 3, "keep_every": 100})"));
}

TEST(Parser, TakesALayoutThatIsChosen) {
  const auto parallel = [](const std::string& text) {
    return parse_good(prepare +
                      "  fit: {task: train, data: prepare, model: {type: mlp, hidden: 8}, parallel: " + text +
                      "}\n")
        .stage("fit")
        .config.at("parallel");
  };
  EXPECT_EQ(parallel("auto"), Json::parse(R"({"layout": "auto"})"));
  EXPECT_EQ(parallel("{layout: auto, slices: 8}"), Json::parse(R"({"layout": "auto", "slices": 8})"));
}

TEST(Parser, CountsTheCacheOfATrainingInBytes) {
  const Parsed parsed = parse_good(
      prepare +
      "  s: {task: tune, data: prepare, train: {model: softmax, cache: 64M}, objective: {metric: accuracy},\n"
      "      strategy: {type: grid}, space: {model.l2: [1, 2]}}\n"
      "  f: {task: train, data: prepare, config: s.best, cache: 2G}\n");
  EXPECT_EQ(parsed.stage("s").config.at("train").at("cache"), 64 << 20);
  EXPECT_EQ(parsed.stage("f").config.at("cache"), std::int64_t{2} << 30);
}

TEST(Parser, RefusesCheckpointsThatAreNeverOrAlone) {
  const auto message = [](const std::string& checkpoint) {
    return parse(prepare + "  fit: {task: train, data: prepare, model: {type: softmax}, checkpoint: " +
                 checkpoint + "}\n")
        .diagnostics.all()
        .front()
        .message;
  };
  EXPECT_EQ(message("{every: 0}"), "'every' is 0; it has to be at least 1");
  EXPECT_EQ(message("{every: soon}"),
            "'every' takes a number of steps, a time such as 10m, or auto, not the text 'soon'");
  EXPECT_EQ(message("{keep: 1}"), "'keep' is 1; it has to be at least 2");
}

Json split_of(const std::string& split) {
  return parse_good("stages:\n  p: {task: preprocess, input: iris.csv, split: " + split + "}\n")
      .stage("p")
      .config.at("split");
}

TEST(Parser, TellsTheKindOfASplitByItsKeys) {
  const Json expected =
      Json::parse(R"({"type": "every", "every": 5, "offset": 4, "stratify": false, "group": ""})");
  EXPECT_EQ(split_of("{every: 5, offset: 4}"), expected);
  EXPECT_EQ(split_of("{folds: 5, fold: 4}"), expected);
  EXPECT_EQ(split_of("{folds: 5, fold: 4, seed: 3}").at("seed"), 3);
  EXPECT_EQ(split_of("{group: species, test: 0.5}").at("type"), "random");
  EXPECT_EQ(split_of("none"), Json::parse(R"({"type": "none"})"));
  EXPECT_EQ(split_of("{validation: 0.1}").at("type"), "random");
}

TEST(Parser, ReadsWhatIsDifferentForSingleColumns) {
  const Parsed parsed = parse_good(
      "stages:\n  p: {task: preprocess, input: iris.csv, impute: median, encode: {unknown: ignore, as: "
      "one_hot}, "
      "columns: {species: {encode: ordinal}, petal_width: {impute: {with: constant, value: 0}, scale: "
      "robust}}}\n");
  const Json& config = parsed.stage("p").config;
  EXPECT_EQ(config.at("impute"), Json::parse(R"({"with": "median", "value": "", "indicator": false})"));
  EXPECT_EQ(config.at("encode"), Json::parse(R"({"as": "one_hot", "unknown": "ignore"})"));
  EXPECT_EQ(config.at("columns"), Json::parse(R"({
    "species": {"type": "auto", "rename": "", "encode": {"as": "ordinal", "unknown": "error"}},
    "petal_width": {"type": "auto", "rename": "",
                    "impute": {"with": "constant", "value": "0", "indicator": false}, "scale": "robust"}})"));
}

TEST(Parser, KeepsTheShapeOfASettingThatTheMatrixGives) {
  const Parsed parsed = parse_good(
      "stages:\n  p: {task: preprocess, input: iris.csv, target: '${{ matrix.t }}', matrix: {t: "
      "[species]}}\n");
  EXPECT_EQ(parsed.stage("p").config.at("target"),
            Json::parse(R"({"column": "${{ '' }}${{ matrix.t }}", "type": "auto"})"));
}

TEST(Parser, JudgesNoValueThatItCouldNotRead) {
  EXPECT_EQ(parse(prepare + "  q: {task: preprocess, input: iris.csv, split: {every: 5, offset: x}}\n")
                .diagnostics.all()
                .size(),
            1u);
}

TEST(Parser, GivesTheTestTheRestOfAChronologicalSplit) {
  const Json expected =
      Json::parse(R"({"type": "chronological", "train": 0.7, "validation": 0.15, "test": 0.15})");
  EXPECT_EQ(split_of("{train: 0.7, validation: 0.15, order: chronological}"), expected);
}

TEST(Parser, LetsTheStrongerDefaultWin) {
  ParseOptions options;
  options.outer_defaults = {
      {"site.yaml",
       "resources: {account: site, qos: site, time: 1, mem_per_cpu: 1G}\nenv: {A: site, B: site}"},
      {"profile.yaml", "resources: {qos: profile, time: 2}\nenv: {B: profile}"}};
  const Parsed parsed = parse_good(
      "defaults: {resources: {time: 3}, modules: [gcc]}\n"
      "stages: {s: {run: ls, mem: 2G, time: 4, modules: [clang, mpich]}, t: {run: ls}}",
      options);
  EXPECT_EQ(parsed.stage("s").resources,
            Json::parse(R"({"time": 4, "account": "site", "qos": "profile", "mem": "2G"})"));
  EXPECT_EQ(parsed.stage("t").resources.at("time"), 3);
  EXPECT_EQ(parsed.stage("s").env, Json::parse(R"({"A": "site", "B": "profile"})"));
  EXPECT_THAT(parsed.stage("s").modules, ElementsAre("clang", "mpich"));
  EXPECT_THAT(parsed.stage("t").modules, ElementsAre("gcc"));
}

TEST(Parser, KnowsWhereEachResourceWasWritten) {
  ParseOptions options;
  options.outer_defaults = {{"site.yaml", "resources: {account: site, qos: site, mem_per_cpu: 1G}"},
                            {"profile.yaml", "resources:\n  queue: gpu"}};
  const auto parsed = parse_good(
      "defaults: {qos: normal}\nstages:\n  s:\n    run: ls\n    resources: {mem: 2G}\n    walltime: 5m\n",
      options);
  std::map<std::string, std::string> places;
  for (const auto& [key, where] : parsed.stage("s").resource_where)
    places[key] = fmt::format("{}:{}:{}", where.file->path, where.line, where.column);
  const std::map<std::string, std::string> expected{{"account", "site.yaml:1:22"},
                                                    {"mem", "/flows/test.yaml:5:22"},
                                                    {"partition", "profile.yaml:2:10"},
                                                    {"qos", "/flows/test.yaml:1:17"},
                                                    {"time", "/flows/test.yaml:6:15"}};
  EXPECT_EQ(places, expected);
}

TEST(Parser, PointsIntoTheProfileThatHasTheMistake) {
  ParseOptions options;
  options.outer_defaults = {{"profile.yaml", "resources: {quos: fast}"}};
  EXPECT_THAT(parse("stages: {s: {run: ls}}", options).text(),
              HasSubstr("profile.yaml:1:13: error: unknown key 'quos'"));
}

TEST(Parser, TypesOverridesAsYamlDoes) {
  ParseOptions options;
  options.set = {{"rates", "[1, 0.5]"}, {"seed", "8"}};
  const Parsed parsed = parse_good(
      "params: {seed: 7, rates: [2]}\nstages: {s: {run: 'echo ${{ params.seed }}', matrix: {r: '${{ "
      "params.rates }}'}}}",
      options);
  EXPECT_EQ(parsed.stage("s").config.at("run"), "echo 8");
  EXPECT_EQ(parsed.stage("s").matrix.axes[0].values, (std::vector<Json>{1, 0.5}));
}

TEST(Parser, RefusesAnOverrideOfNoParameter) {
  ParseOptions options;
  options.set = {{"sede", "8"}};
  const std::string text = parse("params: {seed: 7}\nstages: {s: {run: ls}}", options).text();
  EXPECT_THAT(text, HasSubstr("unknown parameter 'sede'"));
  EXPECT_THAT(text, HasSubstr("did you mean 'seed'?"));
}

TEST(Parser, AppliesMergeKeysAndAliases) {
  const Parsed parsed =
      parse_good("defaults: {env: &common {A: 1, B: 2}}\nstages: {s: {run: ls, env: {<<: *common, B: 3}}}");
  EXPECT_EQ(parsed.stage("s").env, Json::parse(R"({"A": "1", "B": "3"})"));
}

TEST(Parser, KeepsTextAsItWasWritten) {
  const Parsed parsed = parse_good("stages: {s: {run: ls, env: {VERSION: 1.10, YES: true, CODE: 007}}}");
  EXPECT_EQ(parsed.stage("s").env, Json::parse(R"({"VERSION": "1.10", "YES": "true", "CODE": "007"})"));
}

TEST(Parser, DropsAConditionThatIsTrueAnyway) {
  const Parsed parsed = parse_good(
      "params: {go: true}\nstages: {a: {run: ls, when: '${{ params.go }}'}, b: {run: ls, when: params.go && "
      "false}}");
  EXPECT_EQ(parsed.stage("a").when, "");
  EXPECT_EQ(parsed.stage("b").when, "${{ false }}");
}

TEST(Parser, AcceptsEveryAlias) {
  const Parsed parsed = parse_good(read_text(KERNMILL_EXAMPLES "/aliases.yaml"));
  const Resources resources = to_resources(parsed.stage("prepare").resources);
  EXPECT_EQ(resources.account, "chemistry");
  EXPECT_EQ(resources.mem, 512ull << 20);
  EXPECT_EQ(resources.time, std::chrono::hours(26));
  EXPECT_EQ(parsed.stage("list").config.at("run"), "ls -l > \"$KERNMILL_OUTPUT/list.txt\"");
  EXPECT_EQ(parsed.stage("count").inputs.at(0).artifact, "list.txt");
  EXPECT_EQ(parsed.stage("grid").config.at("space").at("optimizer.history").at("type"), "int_uniform");
  EXPECT_EQ(parsed.stage("fit").retries.max, 3);
  EXPECT_DOUBLE_EQ(parsed.stage("fit").retries.mem_factor, 2);
  EXPECT_TRUE(parsed.workflow.share_group);
}

TEST(Parser, LaysAStallOverTheOneOfTheDefaults) {
  const Parsed parsed = parse_good(
      "defaults: {stall: 10m}\nstages: {a: {run: ls}, b: {run: ls, stall: 90}, c: {run: ls, stall: 0}, d: "
      "{run: "
      "ls, time: 5m}}");
  EXPECT_EQ(parsed.stage("a").stall, std::chrono::minutes(10));
  EXPECT_EQ(parsed.stage("b").stall, std::chrono::minutes(90)) << "a bare number is minutes";
  EXPECT_EQ(parsed.stage("c").stall, std::chrono::minutes(0));
  EXPECT_EQ(parsed.stage("d").stall, std::chrono::minutes(10))
      << "its time limit comes first, and that is fine";
  const Workflow again = workflow_from_json(to_json(parsed.workflow));
  EXPECT_EQ(again.find("b")->stall, std::chrono::minutes(90));
}

TEST(Parser, TakesWhatIsDoneAboutBadNodesFromTheDefaults) {
  EXPECT_EQ(parse_good("stages: {a: {run: ls}}").workflow.bad_nodes, BadNodes{});
  const Parsed parsed = parse_good("defaults: {bad_nodes: {for: 30m, keep: user}}\nstages: {a: {run: ls}}");
  const BadNodes expected{.avoid_for = std::chrono::minutes(30), .per_user = true};
  EXPECT_EQ(parsed.workflow.bad_nodes, expected);
  EXPECT_EQ(workflow_from_json(to_json(parsed.workflow)).bad_nodes, expected);
  EXPECT_EQ(parse_good("defaults: {bad_nodes: 2h}\nstages: {a: {run: ls}}").workflow.bad_nodes.avoid_for,
            std::chrono::hours(2));
}

TEST(Parser, LaysWhatIsDoneAboutBadNodesOverTheSitesKeyByKey) {
  ParseOptions options;
  options.outer_defaults = {{"site.yaml", "bad_nodes: {for: 30m}"},
                            {"profile.yaml", "bad_nodes: {keep: user}"}};
  EXPECT_EQ(parse_good("stages: {a: {run: ls}}", options).workflow.bad_nodes,
            (BadNodes{.avoid_for = std::chrono::minutes(30), .per_user = true}));
}

TEST(Parser, SortsWhatItFinds) {
  const Parsed parsed = parse("stages: {b: {run: ls, needs: nobody}}\nnmae: x\n");
  ASSERT_EQ(parsed.diagnostics.all().size(), 2u);
  EXPECT_EQ(parsed.diagnostics.all()[0].where.line, 1u);
  EXPECT_EQ(parsed.diagnostics.all()[1].where.line, 2u);
}

TEST(Workflow, SurvivesTheWayThroughJson) {
  for (const char* name : {"design", "aliases"}) {
    const Workflow workflow =
        parse_good(read_text(std::string(KERNMILL_EXAMPLES "/") + name + ".yaml")).workflow;
    const Json json = Json::parse(to_json(workflow).dump());
    EXPECT_EQ(to_json(workflow_from_json(json)), json);
    EXPECT_EQ(workflow_from_json(json).stages[1].where.line, workflow.stages[1].where.line);
  }
}

}  // namespace
}  // namespace kernmill
