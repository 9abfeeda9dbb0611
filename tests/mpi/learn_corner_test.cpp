#include "convex.hpp"

// Losses with corners, and those of regression that are no square. The numbers of scikit-learn and SciPy:
// reference_linear.py.
namespace kernmill::testing {
namespace {

using tasks::Json;

const Json newton = {
    {"type", "newton"}, {"max_iterations", 200}, {"tolerance", 1e-10}, {"objective_tolerance", 1e-8}};
const Json path = {
    {"type", "interior_point"}, {"max_iterations", 200}, {"gap_tolerance", 1e-7}, {"max_features", 2000}};

Json svr(const std::string& loss) {
  return {{"type", "linear_svr"}, {"C", 1.0}, {"epsilon", 0.1}, {"loss", loss}, {"regularize_bias", true}};
}

class Corners : public Convex {
 protected:
  std::filesystem::path numbers() {
    return dataset("linear_regression", {{"target", {{"column", "y"}, {"type", "number"}}}});
  }
};

TEST_F(Corners, HingeReachesTheReferenceObjectiveOfEachClass) {
  Json model = svm_model();
  model["loss"] = "hinge";
  const auto result = train_twice(fold_four("iris", "species"), train_config(model, path));
  const Json& each = result.metrics.at("objective_per_class");
  ASSERT_EQ(each.size(), 3U);
  expect_relative(each[0], 1.6155930035785422, 1e-6);
  expect_relative(each[1], 69.0860829610188, 1e-6);
  expect_relative(each[2], 17.579897505440943, 1e-6);
}

TEST_F(Corners, EpsilonInsensitiveReachesTheReferenceObjective) {
  const auto result = train_twice(numbers(), train_config(svr("epsilon_insensitive"), path));
  expect_relative(result.metrics.at("objective"), 155.9735171676066, 1e-6);
}

TEST_F(Corners, SquaredEpsilonInsensitiveReachesTheReferenceObjective) {
  const auto result = train_twice(numbers(), train_config(svr("squared_epsilon_insensitive"), newton));
  expect_relative(result.metrics.at("objective"), 41.10778776091339, 1e-6);
}

TEST_F(Corners, HuberReachesTheReferenceObjective) {
  const Json model = {{"type", "linear_regression"}, {"loss", "huber"}, {"delta", 0.2}, {"l2", 0.01},
                      {"regularize_bias", false},    {"init", nullptr}};
  for (const Json& how : {newton, lbfgs()})
    expect_relative(train_twice(numbers(), train_config(model, how)).metrics.at("objective"),
                    0.03191020162095896, 1e-7);
}

TEST_F(Corners, EndWithTheSameModelAfterAResumption) {
  Json config = train_config(svr("epsilon_insensitive"), path);
  config["checkpoint"]["every"] = 4;
  tasks::Spec whole = spec("train", config, {{"data", numbers()}}, "whole");
  whole.checkpoint_directory = directory / "checkpoints";
  const tasks::Result first = tasks::run_train(whole, comm);
  const std::uint64_t end = digest(parameters("whole"));
  EXPECT_EQ(tasks::run_train(whole, comm).metrics.dump(), first.metrics.dump());
  EXPECT_EQ(digest(parameters("whole")), end);
}

TEST_F(Corners, AreRefusedByMethodsThatNeedAGradient) {
  EXPECT_THROW(train(numbers(), train_config(svr("epsilon_insensitive"), lbfgs())), tasks::TaskError);
  EXPECT_THROW(train(numbers(), train_config(svr("squared_epsilon_insensitive"), path)), tasks::TaskError);
}

}  // namespace
}  // namespace kernmill::testing
