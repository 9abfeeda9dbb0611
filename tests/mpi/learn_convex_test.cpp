#include <fstream>
#include <string>

#include "convex.hpp"
#include "preprocess_settings.hpp"

// Objectives of scikit-learn and liblinear at the unique minimum, digits after the point as they were
// printed.
namespace kernmill::testing {
namespace {

using tasks::Json;

TEST_F(Convex, SoftmaxOnIrisReachesTheReferenceObjective) {
  const auto result = train_twice(fold_four("iris", "species"), train_config(softmax_model(), lbfgs()));
  expect_relative(result.metrics.at("objective"), 27.33364022, 1e-9);
}

TEST_F(Convex, SoftmaxOnDigitsReachesTheReferenceObjective) {
  const auto result = train_twice(fold_four("digits", "digit"), train_config(softmax_model(), lbfgs()));
  expect_relative(result.metrics.at("objective"), 97.29860730, 1e-7);
}

TEST_F(Convex, SquaredHingeOnIrisReachesTheReferenceObjectiveOfEachClass) {
  const auto result = train_twice(fold_four("iris", "species"), train_config(svm_model(), lbfgs()));
  const Json& each = result.metrics.at("objective_per_class");
  ASSERT_EQ(each.size(), 3U);
  expect_relative(each[0], 1.131258, 1e-6);
  expect_relative(each[1], 76.614567, 1e-6);
  expect_relative(each[2], 14.362232, 1e-6);
}

// scikit-learn's with class_weight="balanced": reference_weights.py.
TEST_F(Convex, BalancedClassesReachTheReferenceObjective) {
  std::ifstream flowers(KERNMILL_DATA "/iris.csv");
  std::string rows, line;
  std::getline(flowers, line);
  rows = line + '\n';
  for (int i = 0; std::getline(flowers, line); ++i)
    if (const int every = i < 50 ? 5 : i < 100 ? 2 : 1; i % every == 0) rows += line + '\n';
  put(directory / "few.csv", rows);
  const tasks::Spec prepare =
      spec("preprocess",
           kernmill::testing::preprocess_settings({{"target", {{"column", "species"}, {"type", "auto"}}}}),
           {{"input", directory / "few.csv"}}, "prepare-few");
  tasks::run_preprocess(prepare, comm);
  Json config = train_config(softmax_model(), lbfgs());
  config["class_weight"] = "balanced";
  const auto result = train_twice(prepare.output_directory / "dataset.h5", config);
  expect_relative(result.metrics.at("objective"), 20.798388984380246, 1e-6);
}

// What the same end takes after an interruption shortly before it: the levels of the iterations before are
// part of a checkpoint.
TEST_F(Convex, SettlesAtTheSameIterationAfterAResumption) {
  Json config = train_config(softmax_model(), lbfgs());
  config["checkpoint"]["every"] = 1;
  tasks::Spec settling = spec("train", config, {{"data", fold_four("iris", "species")}}, "settling");
  settling.checkpoint_directory = directory / "checkpoints";
  const tasks::Result whole = tasks::run_train(settling, comm);
  const std::uint64_t end = digest(parameters("settling"));
  EXPECT_LT(whole.metrics.at("iterations"), 40);  // to 1e-10 of the first gradient it takes 47
  const tasks::Result resumed = tasks::run_train(settling, comm);
  EXPECT_EQ(resumed.metrics.at("iterations"), whole.metrics.at("iterations"));
  EXPECT_EQ(digest(parameters("settling")), end);
}

class LinearRegression : public Convex {
 protected:
  std::filesystem::path data() {
    return dataset("linear_regression", {{"target", {{"column", "y"}, {"type", "number"}}}});
  }
  static Json model(Json init) {
    return {
        {"type", "linear_regression"}, {"l2", 0.0}, {"regularize_bias", false}, {"init", std::move(init)}};
  }
};

TEST_F(LinearRegression, ReachesTheLeastSquaresFloor) {
  const auto result = train_twice(data(), train_config(model(nullptr), lbfgs()));
  expect_relative(result.metrics.at("objective"), 0.0809077636, 1e-9);
}

// Prices that are not scaled: from the 19th iteration to the 35th the objective stays within a thousandth, 1
// % above the minimum (NumPy's lstsq).
TEST_F(LinearRegression, DoesNotSettleOnAPlateau) {
  const auto prices = dataset("eustockmarkets", {{"target", {{"column", "DAX"}, {"type", "number"}}}});
  const auto result = train_twice(prices, train_config(model(nullptr), lbfgs()));
  expect_relative(result.metrics.at("objective"), 11940.441273496865, 1e-9);
}

TEST_F(LinearRegression, AThousandStepsOfGradientDescentGiveTheReferenceLoss) {
  const Json init = {
      {"weights",
       {0.19296424626829956, 0.28363721119324037, 0.3499245310927812, 0.20395671841312268, 0.5395282826303711,
        0.5694768886174323, 0.7795808337367227, 0.695514524824469, 0.24580421136504083, 0.1575062888112274}},
      {"bias", 0.9038797122369524}};
  const Json optimizer = {{"type", "gradient_descent"}, {"learning_rate", 0.01}, {"steps", 1000}};
  const auto result = train_twice(data(), train_config(model(init), optimizer));
  expect_relative(result.metrics.at("objective"), 0.08283869, 1e-6);
  EXPECT_EQ(result.metrics.at("iterations"), 1000);
}

TEST_F(LinearRegression, WorksOnMoreRanksThanRows) {
  put(directory / "two.csv", "x,y\n1,3\n2,5\n");
  const tasks::Spec prepare =
      spec("preprocess",
           kernmill::testing::preprocess_settings({{"target", {{"column", "y"}, {"type", "number"}}}}),
           {{"input", directory / "two.csv"}}, "prepare");
  tasks::run_preprocess(prepare, comm);
  train_twice(prepare.output_directory / "dataset.h5", train_config(model(nullptr), lbfgs()));
  EXPECT_NEAR(parameters()[0], 2.0, 1e-6);
  EXPECT_NEAR(parameters()[1], 1.0, 1e-6);
}

}  // namespace
}  // namespace kernmill::testing
