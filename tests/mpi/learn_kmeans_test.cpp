#include <gmock/gmock.h>

#include "kernmill/tasks/support/task_error.hpp"
#include "learn_world.hpp"
#include "preprocess_settings.hpp"

// Figures of scikit-learn 1.9: reference_clusters.py.
namespace kernmill::testing {
namespace {

using tasks::Json;
using ::testing::HasSubstr;

class KMeans : public LearnWorld {
 protected:
  static Json config(std::uint64_t k, const Json& changes = Json::object()) {
    Json model = {{"type", "kmeans"},      {"k", k},           {"init", "parallel"}, {"restarts", 1},
                  {"max_iterations", 300}, {"tolerance", 0.0}, {"epochs", 10}};
    model.update(changes);
    return {{"model", std::move(model)}, {"seed", 0}, {"checkpoint", {{"every", 1}, {"keep", 2}}}};
  }
  std::filesystem::path raw(const std::string& name, const std::string& target) {
    return dataset(name, {{"target", {{"column", target}, {"type", "auto"}}}});
  }
  std::string failure(const std::filesystem::path& data, const Json& settings) {
    try {
      train(data, settings);
    } catch (const tasks::TaskError& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(KMeans, FindsTheBestClustersOfIris) {
  const auto result = train_twice(raw("iris", "species"), config(3, {{"restarts", 10}}));
  EXPECT_NEAR(result.metrics.at("inertia").get<double>(), 78.851441426146, 1e-9);
  EXPECT_EQ(result.metrics.at("rows"), 150);
}

TEST_F(KMeans, FindsTheBestClustersOfStandardisedIris) {
  const auto data =
      dataset("iris", {{"target", {{"column", "species"}, {"type", "auto"}}}, {"scale", "standard"}});
  for (const char* init : {"parallel", "plus_plus"}) {
    const auto result = train_twice(data, config(3, {{"restarts", 20}, {"init", init}}));
    EXPECT_NEAR(result.metrics.at("inertia").get<double>(), 139.82049635974982, 1e-9) << init;
  }
}

// The best of 50 starts there.
TEST_F(KMeans, ComesAsNearOnDigitsAsItsPeer) {
  const auto result = train_twice(raw("digits", "digit"), config(10, {{"restarts", 4}}));
  EXPECT_NEAR(result.metrics.at("inertia").get<double>(), 1165153.9999263738, 6000);
}

// Bytes in the file, which are kept as such, or read at each iteration.
TEST_F(KMeans, NeedsNoTargetNorMemory) {
  const auto data = dataset("digits", {{"drop", {"digit"}}});
  Json settings = config(5, {{"max_iterations", 8}});
  const auto result = train_twice(data, settings);
  const std::uint64_t kept = digest(parameters());
  settings["cache"] = 0;
  EXPECT_EQ(train(data, settings).metrics.dump(), result.metrics.dump());
  EXPECT_EQ(digest(parameters()), kept);
}

TEST_F(KMeans, IsJudgedByItsOwnMetricsAndByClasses) {
  const auto data = raw("iris", "species");
  train(data, config(3, {{"restarts", 10}}));
  const auto result = tasks::run_evaluate(
      spec("evaluate", {{"split", "train"}}, {{"model", model_file()}, {"data", data}}), comm);
  const Json& metrics = result.metrics;
  EXPECT_NEAR(metrics.at("inertia").get<double>(), 78.851441426146, 1e-9);
  EXPECT_NEAR(metrics.at("inertia_per_row").get<double>(), 78.851441426146 / 150, 1e-9);
  EXPECT_NEAR(metrics.at("silhouette").get<double>(), 0.6663855564711149, 1e-9);
  EXPECT_NEAR(metrics.at("adjusted_rand").get<double>(), 0.7302382722834697, 1e-12);
  EXPECT_NEAR(metrics.at("normalized_mutual_information").get<double>(), 0.7581756800057784, 1e-12);
}

TEST_F(KMeans, IsTheSameAfterAResumption) {
  const auto data = raw("digits", "digit");
  const Json settings = config(10, {{"restarts", 2}});
  tasks::Spec whole = spec("train", settings, {{"data", data}}, "whole");
  whole.checkpoint_directory = directory / "checkpoints";
  const auto result = tasks::run_train(whole, comm);
  const std::uint64_t end = digest(parameters("whole"));
  const auto resumed = tasks::run_train(whole, comm);  // from the newest: of the second start
  EXPECT_EQ(resumed.metrics.dump(), result.metrics.dump());
  EXPECT_EQ(digest(parameters("whole")), end);
}

TEST_F(KMeans, MiniBatchesComeNearTheBest) {
  const auto data = raw("digits", "digit");
  const Json settings = config(10, {{"batch_size", 256}, {"epochs", 4}});
  const auto result = train_twice(data, settings);
  EXPECT_LT(result.metrics.at("inertia").get<double>(), 1165154 * 1.1);
  tasks::Spec again = spec("train", settings, {{"data", data}}, "again");
  again.checkpoint_directory = directory / "checkpoints";
  tasks::run_train(again, comm);
  tasks::run_train(again, comm);
  EXPECT_EQ(digest(parameters("again")), digest(parameters()));
}

// Twenty rows, four different ones.
TEST_F(KMeans, LeavesClustersEmptyWhereThereAreFewerDifferentRows) {
  std::string text = "x,y\n";
  for (int i = 0; i < 20; ++i)
    text += i % 2 == 0 ? "0,1\n" : i % 4 == 1 ? "5,5\n" : i % 8 == 3 ? "9,0\n" : "1,9\n";
  put(directory / "few.csv", text);
  const tasks::Spec prepare = spec("preprocess", kernmill::testing::preprocess_settings(Json::object()),
                                   {{"input", directory / "few.csv"}}, "prepare-few");
  tasks::run_preprocess(prepare, comm);
  const auto data = prepare.output_directory / "dataset.h5";
  const auto result = train_twice(data, config(6));
  EXPECT_EQ(result.metrics.at("inertia"), 0.0);
  int empty = 0;
  for (const Json& size : result.metrics.at("cluster_sizes")) empty += size == 0 ? 1 : 0;
  EXPECT_EQ(empty, 2);
  EXPECT_THAT(failure(data, config(21)), HasSubstr("21 clusters cannot be made of 20 rows"));
}

TEST_F(KMeans, StartsFromTheCentersOfAnotherModel) {
  const auto data = raw("iris", "species");
  train(data, config(3, {{"restarts", 10}}), "first");
  const auto result = tasks::run_train(
      spec("train", config(3), {{"data", data}, {"start_from", model_file("first")}}, "second"), comm);
  EXPECT_LE(result.metrics.at("iterations"), 2);
  EXPECT_NEAR(result.metrics.at("inertia").get<double>(), 78.851441426146, 1e-9);
}

TEST_F(KMeans, ASearchMinimisesTheInertiaOfRowsThatItDidNotSee) {
  const auto data = raw("iris", "species");
  const Json trial = {{"train", config(3)},
                      {"objective", {{"metric", "inertia_per_row"}, {"validation", {{"folds", 5}}}}}};
  const auto result = tasks::run_tune(spec("tune", trial, {{"data", data}}), comm);
  EXPECT_GT(result.metrics.at("value").get<double>(), 78.851441426146 / 150);
  EXPECT_LT(result.metrics.at("value").get<double>(), 1.5 * 78.851441426146 / 150);
  EXPECT_EQ(result.metrics.at("rows"), 150);
}

}  // namespace
}  // namespace kernmill::testing
