// What kernmill-exec makes of a task program: its spec.json, its results, its errors.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec_world.hpp"
#include "kernmill/base/sha256.hpp"
#include "kernmill/os/durable_file.hpp"

namespace kernmill {
namespace {

using ::testing::AllOf;
using testing::ExecWorld;
using ::testing::HasSubstr;

Json good_result() {
  return {{"metrics", {{"accuracy", 0.75}}}, {"artifacts", {{"model", "model.h5"}}}};
}

TEST(AttemptRunnerTask, CommitsMetricsAndArtifactsOfAResult) {
  ExecWorld world({ExecWorld::task("fit", {{"result", good_result()}})});
  EXPECT_EQ(world.carry_out("fit"), 0);
  const Record record = world.last_record("fit");
  EXPECT_EQ(record.event, "committed");
  EXPECT_EQ(record.body["metrics"]["accuracy"], 0.75);
  const Artifact model = artifact_from_json(record.body["artifacts"].at(0));
  EXPECT_EQ(model.path, world.run().attempt("fit", 0, 1) / "model.h5");
  EXPECT_EQ(model.bytes, 5U);
  EXPECT_EQ(model.sha256, sha256("model"));
  EXPECT_TRUE(fold_journal(world.run().journal()).find("fit", 0)->committed);
}

TEST(AttemptRunnerTask, SpecHoldsWhatTheTaskContractPromises) {
  Stage fit = ExecWorld::task("fit", {{"result", good_result()}, {"C", 2.5}}, {"prepare"});
  fit.inputs.push_back({"data", "prepare", "dataset", "", {}});
  fit.inputs.push_back({"extra", "", "", "/etc/passwd", {}});
  ExecWorld world({ExecWorld::task("prepare", {}), fit});
  world.commit("prepare", 0, {{"rows", 150}}, {{"dataset", "/there/dataset.h5", 1, ""}});
  ASSERT_EQ(world.carry_out("fit"), 0) << world.message("fit");
  const Json spec = Json::parse(read_file(world.run().attempt("fit", 0, 1) / "spec.json"));
  EXPECT_EQ(spec["kind"], "train");
  EXPECT_EQ(spec["config"]["C"], 2.5);
  EXPECT_EQ(spec["inputs"], (Json{{"data", "/there/dataset.h5"}, {"extra", "/etc/passwd"}}));
  EXPECT_EQ(spec["output_directory"], world.run().attempt("fit", 0, 1).string());
  EXPECT_EQ(spec["checkpoint_directory"], world.run().checkpoints("fit", 0).string());
}

TEST(AttemptRunnerTask, RefusesToStartBeforeItsParentsHaveCommitted) {
  ExecWorld world(
      {ExecWorld::task("prepare", {}), ExecWorld::task("fit", {{"result", good_result()}}, {"prepare"})});
  EXPECT_EQ(world.carry_out("fit"), 1);
  EXPECT_EQ(world.last_record("fit").event, "failed");
  EXPECT_THAT(world.message("fit"), HasSubstr("no commit of prepare"));
  EXPECT_FALSE(std::filesystem::exists(world.run().attempt("fit", 0, 1) / "spec.json"));
}

TEST(AttemptRunnerTask, ReferencesBecomeMetricsAndArtifactPaths) {
  ExecWorld world({ExecWorld::task("search", {}), ExecWorld::task("fit",
                                                                  {{"result", good_result()},
                                                                   {"C", "${{ stages.search.value * 2 }}"},
                                                                   {"from", "${{ stages.search.model }}"}},
                                                                  {"search"})});
  world.commit("search", 0, {{"value", 1.5}}, {{"model", "/there/model.h5", 1, ""}});
  ASSERT_EQ(world.carry_out("fit"), 0) << world.message("fit");
  const Json config = Json::parse(read_file(world.run().attempt("fit", 0, 1) / "spec.json"))["config"];
  EXPECT_EQ(config["C"], 3.0);
  EXPECT_EQ(config["from"], "/there/model.h5");
}

TEST(AttemptRunnerTask, ReferenceToWhatNoStageLeftIsAnErrorThatNamesIt) {
  ExecWorld world({ExecWorld::task("search", {}),
                   ExecWorld::task("fit", {{"C", "${{ stages.search.valeu }}"}}, {"search"})});
  world.commit("search", 0, {{"value", 1.5}});
  EXPECT_EQ(world.carry_out("fit"), 1);
  EXPECT_THAT(world.message("fit"), HasSubstr("stages.search.valeu"));
}

TEST(AttemptRunnerTask, BestConfigurationIsTakenAndOwnSettingsOverrideIt) {
  Stage fit = ExecWorld::task(
      "fit", {{"result", good_result()}, {"tune_stage", "search"}, {"model", {{"C", 9}}}}, {"search"});
  fit.inputs.push_back({"config", "search", "best", "", {}});
  ExecWorld world({ExecWorld::task("search", {}), fit});
  const auto best = world.path() / "best.json";
  std::ofstream(best) << R"({"train":{"model":{"type":"linear_svm","C":1.0},"seed":4}})";
  world.commit("search", 0, {}, {{"best", best.string(), 1, ""}});
  ASSERT_EQ(world.carry_out("fit"), 0) << world.message("fit");
  const Json spec = Json::parse(read_file(world.run().attempt("fit", 0, 1) / "spec.json"));
  EXPECT_EQ(spec["config"]["model"], (Json{{"type", "linear_svm"}, {"C", 9}}));
  EXPECT_EQ(spec["config"]["seed"], 4);
  EXPECT_FALSE(spec["config"].contains("tune_stage"));
  EXPECT_EQ(spec["inputs"], Json::object());
}

TEST(AttemptRunnerTask, ErrorOfTheTaskBecomesTheMessage) {
  const Json error = {
      {"message", "ragged row"}, {"where", "iris.csv:7:1"}, {"help", "add the missing field"}};
  ExecWorld world({ExecWorld::task("fit", {{"error", error}, {"exit", 1}})});
  EXPECT_EQ(world.carry_out("fit"), 1);
  EXPECT_EQ(world.message("fit"), "iris.csv:7:1: ragged row\nhelp: add the missing field");
  EXPECT_EQ(world.last_record("fit").body["cause"], "error");
}

TEST(AttemptRunnerTask, CrashIsToldBySignalAndTheLastLinesOfItsErrors) {
  ExecWorld world({ExecWorld::task("crash", {{"raise", 11}}),
                   ExecWorld::task("exit", {{"exit", 3}, {"stderr", "first\nthe reason\n"}})});
  EXPECT_EQ(world.carry_out("crash"), 1);
  EXPECT_THAT(world.message("crash"), HasSubstr("signal 11 (SIGSEGV"));
  EXPECT_EQ(world.last_record("crash").body["signal"], 11);
  EXPECT_EQ(world.carry_out("exit"), 1);
  EXPECT_THAT(world.message("exit"), AllOf(HasSubstr("status 3"), HasSubstr("the reason")));
}

TEST(AttemptRunnerTask, EndingWellWithoutAResultIsAFailure) {
  ExecWorld world({ExecWorld::task("fit", Json::object())});
  EXPECT_EQ(world.carry_out("fit"), 1);
  EXPECT_THAT(world.message("fit"), HasSubstr("no result.json"));
}

TEST(AttemptRunnerTask, PromisedArtifactThatIsNotThereIsAFailure) {
  Stage fit = ExecWorld::task("fit", {{"result", {{"artifacts", {{"model", "no/such/model.h5"}}}}}});
  ExecWorld world({fit});
  EXPECT_EQ(world.carry_out("fit"), 1);
  EXPECT_THAT(world.message("fit"), HasSubstr("no/such/model.h5"));
}

TEST(AttemptRunnerTask, SecondRunTakesTheResultFromTheCacheByContent) {
  ExecWorld world({ExecWorld::task("fit", {{"result", good_result()}}),
                   ExecWorld::task("again", {{"result", good_result()}})});
  ASSERT_EQ(world.carry_out("fit"), 0);
  ASSERT_EQ(world.carry_out("again"), 0);
  const Json body = world.last_record("again").body;
  EXPECT_EQ(body.value("cached_from", ""), world.run().attempt("fit", 0, 1).string());
  EXPECT_EQ(read_file(world.run().attempt("again", 0, 1) / "model.h5"), "model");
}

TEST(AttemptRunnerTask, WithoutCacheItRunsAgain) {
  ExecWorld world({ExecWorld::task("fit", {{"result", good_result()}}),
                   ExecWorld::task("again", {{"result", good_result()}})});
  ASSERT_EQ(world.carry_out("fit"), 0);
  ASSERT_EQ(world.carry_out("again", 0, 1, {"--no-cache"}), 0);
  EXPECT_FALSE(world.last_record("again").body.contains("cached_from"));
}

TEST(AttemptRunnerTask, MissingLauncherAndUnknownInstanceAreFailuresThatSaySo) {
  ExecWorld world({ExecWorld::task("fit", Json::object())});
  EXPECT_EQ(world.carry_out("fit", 7), 1);
  EXPECT_THAT(world.last_record("fit", 7).body["message"], HasSubstr("none with the number 7"));
  EXPECT_EQ(world.carry_out("fit", 0, 1, {"--time-factor", "much"}), 2);
}

}  // namespace
}  // namespace kernmill
