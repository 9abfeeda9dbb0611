#include "kernmill/run/cache/recipe.hpp"

#include <gmock/gmock.h>

#include "cache_support.hpp"
#include "plan_support.hpp"

namespace kernmill::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Stage train(const std::string& data) {
  Stage stage = command("fit", {data});
  stage.kind = TaskKind::train;
  stage.config = {{"model", {{"type", "linear_svm"}, {"C", 1.0}}}, {"seed", 0}};
  stage.inputs = {{"data", data, "dataset", "", {}}};
  return stage;
}

/// The only artifact of the only parent.
ResultOf leaves(const std::string& name, const std::string& content, Json metrics = Json::object(),
                const std::string& path = "/run/1") {
  return [=](InstanceId) { return InstanceResult{{{name, path, content.size(), sha256(content)}}, metrics}; };
}
const ResultOf nothing = [](InstanceId) { return std::nullopt; };

class RecipeOfAnInstance : public ::testing::Test {
 protected:
  std::variant<Recipe, NoRecipe> of(const Stage& stage, const ResultOf& results) {
    const Plan p = plan({command("prepare"), stage});
    return recipe_of(p, {p.stage_number(stage.name), 0}, results, lab_.digests, lab_.programs);
  }
  Recipe recipe(const Stage& stage, const ResultOf& results = leaves("dataset", "rows")) {
    const auto outcome = of(stage, results);
    if (const auto* none = std::get_if<NoRecipe>(&outcome)) ADD_FAILURE() << none->why;
    return std::holds_alternative<Recipe>(outcome) ? std::get<Recipe>(outcome) : Recipe{};
  }
  std::string why_none(const Stage& stage, const ResultOf& results) {
    const auto outcome = of(stage, results);
    return std::holds_alternative<NoRecipe>(outcome) ? std::get<NoRecipe>(outcome).why : "there is a recipe";
  }
  Laboratory lab_;
};

TEST(RecipeKey, DoesNotDependOnTheOrderOfKeys) {
  EXPECT_EQ(recipe_key({{"a", 1}, {"b", {{"c", 2}, {"d", 3}}}}),
            recipe_key({{"b", {{"d", 3}, {"c", 2}}}, {"a", 1}}));
  EXPECT_NE(recipe_key({{"a", {1, 2}}}), recipe_key({{"a", {2, 1}}}));
}

TEST(RecipeKey, DoesNotDependOnTheSpellingOfANumber) {
  EXPECT_EQ(canonical_json(Json::parse(R"({"b": 10.0, "a": [1e0, 0.5], "c": "1.0"})")),
            R"({"a":[1,0.5],"b":10,"c":"1.0"})");
  EXPECT_NE(recipe_key({{"C", 1}}), recipe_key({{"C", "1"}}));
  EXPECT_NE(recipe_key({{"C", 1e300}}), recipe_key({{"C", 1e301}}));
}

TEST_F(RecipeOfAnInstance, ChangesWithConfigurationInputAndProgram) {
  const std::string key = recipe(train("prepare")).key;
  EXPECT_EQ(recipe(train("prepare")).key, key);
  Stage other = train("prepare");
  other.config["seed"] = 1;
  EXPECT_NE(recipe(other).key, key);
  EXPECT_NE(recipe(train("prepare"), leaves("dataset", "other rows")).key, key);
  lab_.programs.task = "another build";
  EXPECT_NE(recipe(train("prepare")).key, key);
}

TEST_F(RecipeOfAnInstance, DoesNotDependOnRanksNamesOrPlaces) {
  const std::string key = recipe(train("prepare")).key;
  Stage other = train("prepare");
  other.name = "renamed";
  other.resources = {{"ntasks", 16}};
  EXPECT_EQ(recipe(other, leaves("dataset", "rows", {}, "/elsewhere")).key, key);
}

TEST_F(RecipeOfAnInstance, IsNotKnownBeforeTheParentHasRun) {
  EXPECT_EQ(why_none(train("prepare"), nothing), "prepare will run first");
}

TEST_F(RecipeOfAnInstance, ReadsInputFilesByContent) {
  Stage stage = train("prepare");
  stage.inputs = {{"data", "", "", lab_.file("iris.csv").string(), {}}};
  lab_.put("iris.csv", "1,2");
  const std::string key = recipe(stage).key;
  lab_.put("iris.csv", "1,3");
  EXPECT_NE(recipe(stage).key, key);
  fs::remove(lab_.file("iris.csv"));
  EXPECT_THAT(why_none(stage, nothing), ::testing::MatchesRegex("input .*iris.csv cannot be read .*"));
}

TEST_F(RecipeOfAnInstance, ReadsAllFilesOfAPattern) {
  Stage stage = train("prepare");
  stage.inputs = {{"data", "", "", lab_.file("part-*.csv").string(), {}}};
  EXPECT_THAT(why_none(stage, nothing), ::testing::MatchesRegex("input .*part-\\*.csv cannot be read .*"));
  lab_.put("part-1.csv", "1,2");
  lab_.put("part-2.csv", "3,4");
  const std::string key = recipe(stage).key;
  EXPECT_EQ(recipe(stage).key, key);
  lab_.put("part-2.csv", "3,5");
  EXPECT_NE(recipe(stage).key, key);
  lab_.put("part-2.csv", "3,4");
  lab_.put("part-3.csv", "5,6");
  EXPECT_NE(recipe(stage).key, key);
}

TEST_F(RecipeOfAnInstance, HoldsMetricsByValueAndArtifactsByContent) {
  Stage notify = command("notify", {"prepare"});
  notify.config["outputs"] = {"out.txt"};
  notify.inputs = {{"inputs[0]", "prepare", "dataset", "", {}}};
  notify.inputs_declared = true;
  notify.env = {{"ROWS", "${{ stages.prepare.rows }}"}, {"FILE", "${{ stages.prepare.dataset }}"}};
  const Recipe made = recipe(notify, leaves("dataset", "rows", {{"rows", 150}}));
  EXPECT_EQ(made.body["env"], Json({{"ROWS", hidden_value("ROWS", 150)},
                                    {"FILE", hidden_value("FILE", "sha256:" + sha256("rows"))}}));
}

TEST_F(RecipeOfAnInstance, IsNotKnownWhenAMetricIsMissing) {
  Stage stage = train("prepare");
  stage.config["seed"] = "${{ stages.prepare.rows }}";
  EXPECT_EQ(why_none(stage, leaves("dataset", "rows")), "nothing is known of stages.prepare.rows");
}

TEST_F(RecipeOfAnInstance, ACommandNeedsDeclaredInputsAndOutputs) {
  Stage stage = command("notify", {"prepare"});
  EXPECT_THAT(why_none(stage, leaves("dataset", "rows")), HasSubstr("without declared inputs and outputs"));
  stage.config["outputs"] = {"out.txt"};
  EXPECT_THAT(why_none(stage, leaves("dataset", "rows")), HasSubstr("without declared inputs and outputs"));
  stage.inputs = {{"inputs[0]", "prepare", "dataset", "", {}}};
  stage.inputs_declared = true;
  EXPECT_FALSE(recipe(stage).key.empty());
}

TEST_F(RecipeOfAnInstance, ACommandThatDeclaresToReadNothingIsCached) {
  Stage stage = command("throw", {});
  stage.config["outputs"] = {"out.txt"};
  stage.inputs_declared = true;  // inputs: []
  EXPECT_FALSE(recipe(stage).key.empty());
}

TEST_F(RecipeOfAnInstance, ATaskNeedsItsProgram) {
  lab_.programs.task = "";
  EXPECT_THAT(why_none(train("prepare"), leaves("dataset", "rows")), HasSubstr("kernmill-task"));
}

TEST_F(RecipeOfAnInstance, AReduceNeedsEveryTrialAndDependsOnTheirValues) {
  Stage search = tune("search", {}, 3);
  const Plan p = plan({search});
  const auto reduce = [&](const ResultOf& results) {
    return recipe_of(p, {0, 3}, results, lab_.digests, lab_.programs);
  };
  const auto values = [](double value) -> ResultOf {
    return [value](InstanceId) { return InstanceResult{{}, {{"value", value}}}; };
  };
  EXPECT_NE(std::get<Recipe>(reduce(values(1))).key, std::get<Recipe>(reduce(values(2))).key);
  EXPECT_TRUE(std::holds_alternative<NoRecipe>(
      reduce([&](InstanceId id) { return id.index == 1 ? std::nullopt : values(1)(id); })));
}

TEST_F(RecipeOfAnInstance, OfWhoGathersDependsOnWhatEachInstanceLeft) {
  Stage all = command("all", {"part"});
  all.config["outputs"] = {"out.txt"};
  all.inputs = {{"inputs[0]", "part", "", "", {}, /*gathered=*/true}};
  all.inputs_declared = true;
  const auto key = [&](const ResultOf& results, int instances = 3) {
    const Plan p = plan({command("part", {}, one_axis(instances)), all});
    return std::get<Recipe>(recipe_of(p, {1, 0}, results, lab_.digests, lab_.programs)).key;
  };
  const auto but = [&](std::uint32_t index, const ResultOf& other) -> ResultOf {
    return [=](InstanceId id) { return (id.index == index ? other : leaves("o", "x"))(id); };
  };
  const std::string same = key(leaves("o", "x"));
  EXPECT_EQ(key(leaves("o", "x", Json::object(), "/elsewhere")), same);
  EXPECT_NE(key(but(2, leaves("o", "y"))), same);
  EXPECT_NE(key(but(2, leaves("o", "x", {{"loss", 1}}))), same);
  EXPECT_NE(key(but(2, nothing)), same);
  EXPECT_NE(key(leaves("o", "x"), 4), same);
  EXPECT_NE(key(but(1, nothing)), key(but(2, nothing)));
}

TEST_F(RecipeOfAnInstance, ALargerSearchLeavesTheRecipesOfItsTrialsAsTheyWere) {
  const auto trial = [&](int trials) {
    const Plan p = plan({tune("search", {}, trials)});
    return std::get<Recipe>(recipe_of(p, {0, 1}, nothing, lab_.digests, lab_.programs)).key;
  };
  EXPECT_EQ(trial(3), trial(9));
}

TEST_F(RecipeOfAnInstance, TellsASettingThatChanged) {
  Stage now = train("prepare");
  now.config["model"]["C"] = 10.0;
  EXPECT_THAT(differences(recipe(train("prepare")), recipe(now)),
              ElementsAre("setting model.C changed (1.0 -> 10.0)"));
}

TEST_F(RecipeOfAnInstance, TellsASettingThatIsNewOrGone) {
  Stage now = train("prepare");
  now.config["epochs"] = 20;
  EXPECT_THAT(differences(recipe(train("prepare")), recipe(now)), ElementsAre("setting epochs is new (20)"));
  EXPECT_THAT(differences(recipe(now), recipe(train("prepare"))),
              ElementsAre("setting epochs is gone (was 20)"));
}

TEST_F(RecipeOfAnInstance, TellsAnInputAndAProgramThatChanged) {
  const Recipe before = recipe(train("prepare"));
  lab_.programs.task = "another build";
  EXPECT_THAT(differences(before, recipe(train("prepare"), leaves("dataset", "other rows"))),
              ElementsAre("input prepare.dataset changed", "program kernmill-task changed"));
}

TEST_F(RecipeOfAnInstance, TellsNoDifferenceBetweenSpellingsOfANumber) {
  Stage now = train("prepare");
  now.config["model"]["C"] = 1;
  EXPECT_THAT(differences(recipe(train("prepare")), recipe(now)), ::testing::IsEmpty());
}

TEST_F(RecipeOfAnInstance, CutsLongValuesShort) {
  Stage before = train("prepare"), now = train("prepare");
  before.config["note"] = std::string(500, 'a');
  now.config["note"] = std::string(500, 'b');
  EXPECT_LT(differences(recipe(before), recipe(now)).at(0).size(), 130);
}

}  // namespace
}  // namespace kernmill::testing
