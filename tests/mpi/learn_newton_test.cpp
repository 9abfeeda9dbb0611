#include <fstream>

#include <gmock/gmock.h>

#include "convex.hpp"
#include "kernmill/tasks/learn/train/sampled_hessian.hpp"
#include "kernmill/tasks/learn/train/settings.hpp"
#include "kernmill/tasks/models/network/make_network.hpp"
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

// 113 by the Hessian's diagonal alone.
TEST_F(Newton, TakesFewerProductsWithASampledHessian) {
  const auto digits = fold_four("digits", "digit");
  if (comm.is_root()) ::testing::internal::CaptureStdout();
  train(digits, train_config(softmax_model(), newton()));
  if (!comm.is_root()) return;
  const std::string said = ::testing::internal::GetCapturedStdout();
  const std::size_t end = said.rfind(" products"), begin = said.rfind(' ', end - 1) + 1;
  EXPECT_LT(std::stoi(said.substr(begin, end - begin)), 80) << said;
}

/// Somewhere, not at the minimum.
class NearNewton : public Newton {
 protected:
  template <class Look>
  void at_a_point(const std::filesystem::path& data, const Json& model, const Look& look) {
    const storage::DatasetReader reader(comm.handle(), data);
    const tasks::Rows rows(reader, storage::Part::train);
    const auto settings = tasks::read_train_settings(train_config(model, newton()));
    tasks::Network network = tasks::make_network(*settings.model, rows.schema());
    tasks::Session session(comm, {}, false);
    tasks::Objective objective(session, rows, network,
                               settings.model->criterion(static_cast<double>(rows.count()), 1),
                               {1U << 30U, tasks::shard_count, nullptr, {}});
    look(objective, numbers(network.parameter_count(), 1), numbers(network.parameter_count(), 2));
  }
  static std::vector<double> numbers(std::size_t count, double step) {
    std::vector<double> out(count);
    for (std::size_t i = 0; i < count; ++i) out[i] = 0.3 * std::sin(step * static_cast<double>(i + 1));
    return out;
  }
};

TEST_F(NearNewton, ASampleOfAllRowsIsTheHessian) {
  at_a_point(fold_four("iris", "species"), svm_model(), [&](auto& objective, auto x, auto direction) {
    (void)objective.with_curvature(x);
    std::vector<double> scale = objective.diagonal();
    for (double& value : scale) value = 1 / std::sqrt(value);
    tasks::SampledHessian hessian(comm, objective);
    hessian.take(scale);
    const std::vector<double> back = hessian.solve(objective.product(direction));
    for (std::size_t i = 0; i < back.size(); ++i) EXPECT_NEAR(back[i], direction[i], 1e-3) << i;
  });
}

// Rows without a violation have no second derivative.
TEST_F(NearNewton, RowsThatDoNotCountAreNotSampled) {
  at_a_point(fold_four("iris", "species"), svm_model(), [&](auto& objective, auto x, auto) {
    for (double& value : x) value *= 10;
    (void)objective.with_curvature(x);
    const std::vector<double> diagonal = objective.diagonal();
    const auto sampled = objective.sample(1000, std::vector<double>(x.size(), 1.0));
    ASSERT_EQ(sampled.size(), 3U);
    std::uint64_t all = 0;
    for (std::size_t j = 0; j < sampled.size(); ++j) {
      const auto counted = comm.allreduce(std::uint64_t{sampled[j].size()}, tasks::Reduction::sum) / 5;
      all += counted;
      EXPECT_NEAR(static_cast<double>(counted), (diagonal[4 * 3 + j] - 1) / 2, 1e-6) << "class " << j;
    }
    EXPECT_LT(all, 3U * 120);
  });
}

TEST_F(NearNewton, ALineHasTheValuesAndSlopesOfItsPoints) {
  for (const std::string name : {"iris", "digits"})
    for (const Json& model : {svm_model(), softmax_model()})
      at_a_point(fold_four(name, name == "iris" ? "species" : "digit"), model,
                 [](auto& objective, const auto& x, const auto& direction) {
                   (void)objective.with_curvature(x);
                   objective.begin_line(x, direction);
                   const auto on_line = objective.on_line(std::vector<double>(objective.blocks(), 0.5));
                   std::vector<double> there = x;
                   for (std::size_t i = 0; i < there.size(); ++i) there[i] += 0.5 * direction[i];
                   const auto at = objective(there);
                   const auto values = objective.values_of_blocks(at, there);
                   for (std::size_t j = 0; j < values.size(); ++j) {
                     double slope = 0;
                     for (std::size_t i = j; i < there.size(); i += values.size())
                       slope += at.gradient[i] * direction[i];
                     expect_relative(on_line.values[j], values[j], 1e-12);
                     expect_relative(on_line.slopes[j], slope, 1e-9);
                   }
                 });
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
