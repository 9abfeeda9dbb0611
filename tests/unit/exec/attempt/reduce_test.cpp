// The last instance of a tune stage.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec_world.hpp"
#include "kernmill/os/durable_file.hpp"

namespace kernmill {
namespace {

using testing::ExecWorld;
using ::testing::HasSubstr;

Stage search(const std::string& goal) {
  Stage stage;
  stage.name = "search";
  stage.kind = TaskKind::tune;
  stage.max_fails = 3;
  stage.config = {{"train", {{"model", {{"type", "linear_svm"}, {"C", 1.0}}}, {"seed", 7}}},
                  {"space", {{"model.C", {{"type", "choice"}, {"values", {0.1, 1, 10, 100}}}}}},
                  {"strategy", {{"type", "grid"}}},
                  {"objective", {{"metric", "accuracy"}, {"goal", goal}}}};
  return stage;
}

Json read_json(const ExecWorld& world, const std::string& file) {
  return Json::parse(read_file(world.run().attempt("search", 4, 1) / file));
}

TEST(Reduce, TakesTheBestAndTheLowestTrialOfATie) {
  ExecWorld world({search("maximize")});
  const double values[] = {0.5, 0.9, 0.9, 0.1};
  for (unsigned trial = 0; trial < 4; ++trial) world.commit("search", trial, {{"value", values[trial]}});
  ASSERT_EQ(world.carry_out("search", 4), 0) << world.last_record("search", 4).body.dump();
  EXPECT_EQ(world.last_record("search", 4).body["metrics"],
            (Json{{"value", 0.9}, {"trial", 1}, {"trials", 4}, {"failed", 0}}));
  const Json best = read_json(world, "best.json");
  EXPECT_EQ(best["trial"], 1);
  EXPECT_EQ(best["point"], (Json{{"model.C", 1}}));
  EXPECT_EQ(best["train"]["model"]["type"], "linear_svm");
  EXPECT_EQ(best["train"]["seed"], 7);
}

TEST(Reduce, MinimizesAndPutsThePointIntoTheConfiguration) {
  ExecWorld world({search("minimize")});
  for (unsigned trial = 0; trial < 4; ++trial) world.commit("search", trial, {{"value", 1.0 / (trial + 1)}});
  ASSERT_EQ(world.carry_out("search", 4), 0);
  EXPECT_EQ(read_json(world, "best.json")["train"]["model"]["C"], 100);
}

TEST(Reduce, FailedTrialsAndThoseWithoutAValueNeverWinAndAreInTheTable) {
  ExecWorld world({search("maximize")});
  world.commit("search", 0, {{"value", nullptr}});  // NaN, in JSON
  world.commit("search", 2, {{"value", 0.25}});
  ASSERT_EQ(world.carry_out("search", 4), 0) << world.last_record("search", 4).body.dump();
  EXPECT_EQ(read_json(world, "best.json")["trial"], 2);
  EXPECT_EQ(read_file(world.run().attempt("search", 4, 1) / "trials.csv"),
            "trial,model.C,value,status\n0,0.1,,no value\n1,1,,failed\n2,10,0.25,committed\n3,100,,failed\n");
}

TEST(Reduce, NoTrialWithAValueIsAFailure) {
  ExecWorld world({search("maximize")});
  world.commit("search", 0, {{"value", nullptr}});
  EXPECT_EQ(world.carry_out("search", 4), 1);
  EXPECT_THAT(world.last_record("search", 4).body["message"], HasSubstr("finite value of accuracy"));
}

TEST(Reduce, OfACommandComparesItsMetricAndTakesTheOutputsOfTheBest) {
  Stage stage = search("minimize");
  stage.config.erase("train");
  stage.config["run"] = "true";
  stage.config["restart"] = "";
  stage.config["outputs"] = {"model/weights"};
  stage.config["objective"]["metric"] = "loss";
  ExecWorld world({stage});
  const testing::TemporaryDirectory trial;
  make_directories(trial.path() / "model");
  write_file_durably(trial.path() / "model/weights", "of the best");
  world.commit("search", 0, {{"loss", "inf"}});
  world.commit("search", 1, {{"loss", 2}, {"acc", 0.5}},
               {{"model/weights", (trial.path() / "model/weights").string(), 11, ""}});
  world.commit("search", 2, {{"value", 1}});
  ASSERT_EQ(world.carry_out("search", 4), 0) << world.last_record("search", 4).body.dump();
  const Json best = read_json(world, "best.json");
  EXPECT_EQ(best["trial"], 1);
  EXPECT_EQ(best["metrics"], (Json{{"loss", 2}, {"acc", 0.5}}));
  EXPECT_FALSE(best.contains("train"));
  EXPECT_EQ(read_file(world.run().attempt("search", 4, 1) / "model/weights"), "of the best");
  EXPECT_EQ(world.last_record("search", 4).body["artifacts"][2]["name"], "model/weights");
}

TEST(Reduce, MoreFailedTrialsThanAllowedAreRefused) {
  Stage strict = search("maximize");
  strict.max_fails = 1;
  ExecWorld world({strict});
  world.commit("search", 0, {{"value", 0.5}});
  EXPECT_EQ(world.carry_out("search", 4), 1);
  EXPECT_THAT(world.last_record("search", 4).body["message"], HasSubstr("no commit of search[1], search[2]"));
}

}  // namespace
}  // namespace kernmill
