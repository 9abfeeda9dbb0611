#include <fstream>
#include <sstream>

#include "convex.hpp"
#include "preprocess_settings.hpp"

// Linear regression by its moments. The numbers of scikit-learn: reference_linear.py.
namespace kernmill::testing {
namespace {

using tasks::Json;

Json model(double l1, double l2, bool regularize_bias = false) {
  return {{"type", "linear_regression"},
          {"l1", l1},
          {"l2", l2},
          {"regularize_bias", regularize_bias},
          {"init", nullptr}};
}

const Json closed_form = {{"type", "closed_form"}, {"max_features", 2000}};
const Json descent = {{"type", "coordinate_descent"}, {"max_iterations", 10'000}, {"gap_tolerance", 1e-10}};

class LeastSquares : public Convex {
 protected:
  std::filesystem::path data() {
    return dataset("linear_regression", {{"target", {{"column", "y"}, {"type", "number"}}}});
  }
  std::filesystem::path prepare(const std::string& table) {
    put(directory / "table.csv", table);
    const tasks::Spec made =
        spec("preprocess",
             kernmill::testing::preprocess_settings({{"target", {{"column", "y"}, {"type", "number"}}}}),
             {{"input", directory / "table.csv"}}, "prepare-table");
    tasks::run_preprocess(made, comm);
    return made.output_directory / "dataset.h5";
  }
  double objective(const Json& of, const Json& how) {
    return train_twice(data(), train_config(of, how)).metrics.at("objective");
  }
};

TEST_F(LeastSquares, InClosedFormReachTheFloor) {
  expect_relative(objective(model(0, 0), closed_form), 0.0809077636, 1e-9);
}

TEST_F(LeastSquares, RidgeReachesTheReferenceObjective) {
  for (const Json& how : {closed_form, descent})
    expect_relative(objective(model(0, 0.01), how), 0.08096883519966643, 1e-9);
}

TEST_F(LeastSquares, LassoSetsTheWeightsToZeroThatTheReferenceDoes) {
  expect_relative(objective(model(0.002, 0), descent), 0.08123977335807958, 1e-9);
  const std::vector<double> found = parameters();
  EXPECT_EQ(std::count(found.begin(), found.end(), 0.0), 3);
}

TEST_F(LeastSquares, ElasticNetReachesTheReferenceObjective) {
  const auto result = train_twice(data(), train_config(model(0.0012, 0.0014), descent));
  expect_relative(result.metrics.at("objective"), 0.08113970901303148, 1e-9);
  EXPECT_LE(result.metrics.at("duality_gap"), 1e-10);
}

// A regularised bias is a weight like others.
TEST_F(LeastSquares, HaveTheMinimumOfAnIterationWithARegularisedBias) {
  const auto expected = train(data(), train_config(model(0, 0.01, true), lbfgs()));
  for (const Json& how : {closed_form, descent})
    expect_relative(objective(model(0, 0.01, true), how), expected.metrics.at("objective"), 1e-8);
}

// Prices that are not scaled: NumPy's lstsq.
TEST_F(LeastSquares, KeepTheirDigitsOnLargeNumbers) {
  const auto prices = dataset("eustockmarkets", {{"target", {{"column", "DAX"}, {"type", "number"}}}});
  const auto result = train_twice(prices, train_config(model(0, 0), closed_form));
  expect_relative(result.metrics.at("objective"), 11940.441273496865, 1e-10);
}

// c = a + 2 b, and k is constant: the shortest of all solutions, as scikit-learn's.
TEST_F(LeastSquares, OfColumnsThatDependOnOthersAreTheShortestSolution) {
  std::ifstream in(KERNMILL_DATA "/linear_regression.csv");
  std::string line, table = "a,b,c,k,y\n";
  std::getline(in, line);
  for (int i = 0; i < 50 && std::getline(in, line); ++i) {
    std::istringstream fields(line);
    std::vector<double> values;
    for (std::string field; std::getline(fields, field, ',');) values.push_back(std::stod(field));
    std::ostringstream row;
    row.precision(17);
    row << values[0] << ',' << values[1] << ',' << values[0] + 2 * values[1] << ",3," << values[10] << '\n';
    table += row.str();
  }
  const auto singular = prepare(table);
  const auto result = train_twice(singular, train_config(model(0, 0), closed_form));
  EXPECT_EQ(result.metrics.at("dependent_columns"), 2);
  const std::vector<double> expected{0.15853849928990235, -0.05890897759798449, 0.040720544093933386, 0.0,
                                     0.39535702474591783};
  const std::vector<double> found = parameters();
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-9) << "at " << i;
}

TEST_F(LeastSquares, WorkOnMoreRanksThanRows) {
  train_twice(prepare("x,y\n1,3\n2,5\n"), train_config(model(0, 0), closed_form));
  EXPECT_NEAR(parameters()[0], 2.0, 1e-12);
  EXPECT_NEAR(parameters()[1], 1.0, 1e-12);
}

TEST_F(LeastSquares, WithManyFeaturesAreLeftToLbfgs) {
  const Json few = {{"type", "closed_form"}, {"max_features", 9}};
  const auto result = train_twice(data(), train_config(model(0, 0), few));
  expect_relative(result.metrics.at("objective"), 0.0809077636, 1e-9);
  EXPECT_GT(result.metrics.at("iterations"), 1);
}

TEST_F(LeastSquares, CoordinateDescentEndsWithTheSameModelAfterAResumption) {
  Json config = train_config(model(0.0012, 0.0014), descent);
  config["checkpoint"]["every"] = 2;
  tasks::Spec whole = spec("train", config, {{"data", data()}}, "whole");
  whole.checkpoint_directory = directory / "checkpoints";
  const tasks::Result first = tasks::run_train(whole, comm);
  const std::uint64_t end = digest(parameters("whole"));
  EXPECT_GT(first.metrics.at("iterations"), 2);
  EXPECT_EQ(tasks::run_train(whole, comm).metrics.dump(), first.metrics.dump());
  EXPECT_EQ(digest(parameters("whole")), end);
}

TEST_F(LeastSquares, AnL1PenaltyIsRefusedByMethodsThatNeedAGradient) {
  EXPECT_THROW(train(data(), train_config(model(0.1, 0), lbfgs())), tasks::TaskError);
  EXPECT_THROW(train(data(), train_config(model(0.1, 0), closed_form)), tasks::TaskError);
}

}  // namespace
}  // namespace kernmill::testing
