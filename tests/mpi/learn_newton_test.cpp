#include <fstream>

#include "convex.hpp"
#include "preprocess_settings.hpp"

// Newton's method, and the models whose default it is. The numbers of scikit-learn: reference_linear.py.
namespace kernmill::testing {
namespace {

using tasks::Json;

Json newton(double objective_tolerance = 1e-8) {
  return {{"type", "newton"},
          {"max_iterations", 200},
          {"tolerance", 1e-10},
          {"objective_tolerance", objective_tolerance}};
}

Json logistic_model() {
  return {{"type", "logistic"}, {"l2", 1.0}, {"regularize_bias", false}};
}

class Newton : public Convex {
 protected:
  /// Every 2nd versicolor, and every virginica.
  std::filesystem::path two_kinds() {
    std::ifstream flowers(KERNMILL_DATA "/iris.csv");
    std::string rows, line;
    std::getline(flowers, line);
    rows = line + '\n';
    for (int i = 0; std::getline(flowers, line); ++i)
      if (i >= 100 || (i >= 50 && i % 2 == 0)) rows += line + '\n';
    put(directory / "two.csv", rows);
    const tasks::Spec prepare =
        spec("preprocess",
             kernmill::testing::preprocess_settings({{"target", {{"column", "species"}, {"type", "auto"}}}}),
             {{"input", directory / "two.csv"}}, "prepare-two");
    tasks::run_preprocess(prepare, comm);
    return prepare.output_directory / "dataset.h5";
  }
};

TEST_F(Newton, SoftmaxReachesTheReferenceObjectives) {
  const auto iris = train_twice(fold_four("iris", "species"), train_config(softmax_model(), newton()));
  expect_relative(iris.metrics.at("objective"), 27.33364022, 1e-9);
  const auto digits = train_twice(fold_four("digits", "digit"), train_config(softmax_model(), newton()));
  expect_relative(digits.metrics.at("objective"), 97.29860730, 1e-7);
  EXPECT_LT(digits.metrics.at("iterations"), 20);
}

TEST_F(Newton, SquaredHingeReachesTheReferenceObjectiveOfEachClass) {
  const auto result = train_twice(fold_four("iris", "species"), train_config(svm_model(), newton()));
  const Json& each = result.metrics.at("objective_per_class");
  ASSERT_EQ(each.size(), 3U);
  expect_relative(each[0], 1.131258, 1e-6);
  expect_relative(each[1], 76.614567, 1e-6);
  expect_relative(each[2], 14.362232, 1e-6);
}

// One product with an exact Hessian is enough for a square, were it not for conjugate gradients' own end.
TEST_F(Newton, LeastSquaresReachTheFloor) {
  const auto data = dataset("linear_regression", {{"target", {{"column", "y"}, {"type", "number"}}}});
  const Json model = {
      {"type", "linear_regression"}, {"l2", 0.0}, {"regularize_bias", false}, {"init", nullptr}};
  const auto result = train_twice(data, train_config(model, newton()));
  expect_relative(result.metrics.at("objective"), 0.0809077636, 1e-9);
}

// From the checkpoint of any iteration the end is the same, bit for bit.
TEST_F(Newton, EndsWithTheSameModelAfterAResumption) {
  Json config = train_config(softmax_model(), newton());
  config["checkpoint"]["every"] = 3;
  tasks::Spec whole = spec("train", config, {{"data", fold_four("iris", "species")}}, "whole");
  whole.checkpoint_directory = directory / "checkpoints";
  const tasks::Result first = tasks::run_train(whole, comm);
  const std::uint64_t end = digest(parameters("whole"));
  const tasks::Result resumed = tasks::run_train(whole, comm);
  EXPECT_EQ(resumed.metrics.dump(), first.metrics.dump());
  EXPECT_EQ(digest(parameters("whole")), end);
}

TEST_F(Newton, IsRefusedForANetwork) {
  const auto data = fold_four("iris", "species");
  EXPECT_THROW(train(data, train_config(mlp_model({4}), newton())), tasks::TaskError);
}

// As many shards as there are ranks may be wanted: the minimum is the same, but for the last bits.
TEST_F(Newton, ShardsChangeTheLastBitsAlone) {
  const auto data = fold_four("iris", "species");
  for (const Json& optimizer : {newton(), lbfgs()}) {
    Json config = train_config(softmax_model(), optimizer);
    config["shards"] = 1024;
    const auto result = train_twice(data, config);
    expect_relative(result.metrics.at("objective"), 27.33364022, 1e-9);
  }
}

// Also of rows that are weighed.
TEST_F(Newton, LogisticReachesTheReferenceObjective) {
  const auto data = two_kinds();
  for (const Json& optimizer : {newton(), lbfgs()}) {
    Json config = train_config(logistic_model(), optimizer);
    expect_relative(train_twice(data, config).metrics.at("objective"), 19.422099350081012, 1e-7);
    config["class_weight"] = "balanced";
    expect_relative(train_twice(data, config).metrics.at("objective"), 20.273204841956936, 1e-7);
  }
}

TEST_F(Newton, LogisticGivesTheProbabilitiesOfBothClasses) {
  const auto data = two_kinds();
  train(data, train_config(logistic_model(), newton(1e-12)));
  const auto scores = tasks::run_evaluate(
      spec("evaluate", {{"split", "train"}}, {{"model", model_file()}, {"data", data}}), comm);
  EXPECT_NEAR(scores.metrics.at("log_loss"), 0.17970024623694505, 1e-6);
}

TEST_F(Newton, LogisticRefusesAThirdClass) {
  EXPECT_THROW(train(fold_four("iris", "species"), train_config(logistic_model(), newton())),
               tasks::TaskError);
}

}  // namespace
}  // namespace kernmill::testing
