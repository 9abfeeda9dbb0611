#include "kernmill/tasks/learn/score/forecast.hpp"
#include "learn_world.hpp"

namespace kernmill::testing {
namespace {

using tasks::Json;

class Evaluation : public LearnWorld {
 protected:
  tasks::Result evaluate(const std::filesystem::path& model, const std::filesystem::path& data,
                         const std::string& split = "test") {
    return tasks::run_evaluate(spec("evaluate", {{"split", split}}, {{"model", model}, {"data", data}}),
                               comm);
  }
};

TEST_F(Evaluation, CountsEveryTestRowOnceInTheConfusionMatrix) {
  const auto data = fold_four("iris", "species");
  train(data, train_config(softmax_model(), lbfgs()));
  const auto result = evaluate(model_file(), data);
  const Json report = Json::parse(content(directory / "evaluate" / "evaluation.json"));
  int total = 0, right = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) total += report.at("confusion")[i][j].get<int>();
    right += report.at("confusion")[i][i].get<int>();
  }
  EXPECT_EQ(total, 30);
  EXPECT_EQ(result.metrics.at("correct"), right);
  EXPECT_DOUBLE_EQ(result.metrics.at("accuracy").get<double>(), right / 30.0);
  EXPECT_GT(result.metrics.at("accuracy").get<double>(), 0.85);
  EXPECT_LT(result.metrics.at("log_loss").get<double>(), 0.5);
}

// LogisticRegression(C=1) of scikit-learn 1.9 on the standardised rows, and its metrics on every fifth.
TEST_F(Evaluation, HasTheFiguresOfScikitLearn) {
  const auto data = fold_four("digits", "digit");
  train(data, train_config(softmax_model(), lbfgs()));
  const Json metrics = evaluate(model_file(), data).metrics;
  EXPECT_DOUBLE_EQ(metrics.at("accuracy").get<double>(), 0.9637883008356546);
  EXPECT_NEAR(metrics.at("precision").get<double>(), 0.9577056277056277, 1e-12);
  EXPECT_NEAR(metrics.at("recall").get<double>(), 0.9702712181435587, 1e-12);
  EXPECT_NEAR(metrics.at("f1").get<double>(), 0.9624764380251056, 1e-12);
  EXPECT_NEAR(metrics.at("log_loss").get<double>(), 0.11659527498656494, 1e-6);
  EXPECT_NEAR(metrics.at("roc_auc").get<double>(), 0.9985670925856281, 1e-9);
  const Json report = Json::parse(content(directory / "evaluate" / "evaluation.json"));
  EXPECT_NEAR(report.at("weighted").at("f1").get<double>(), 0.9639199007463152, 1e-12);
  double loss = 0;
  for (const Json& one : report.at("per_class"))
    loss += one.at("log_loss").get<double>() * one.at("rows").get<double>();
  EXPECT_NEAR(loss / metrics.at("rows").get<double>(), metrics.at("log_loss").get<double>(), 1e-12);
}

// A trial that is judged on the validation rows has the figures of an evaluation on them.
TEST_F(Evaluation, HasWhatASearchComparesTrialsBy) {
  const auto data =
      dataset("digits", {{"target", {{"column", "digit"}, {"type", "auto"}}},
                         {"split", {{"type", "random"}, {"test", 0.1}, {"validation", 0.3}, {"seed", 1}}},
                         {"scale", "standard"}});
  const Json config = train_config(softmax_model(), lbfgs());
  train(data, config);
  const Json metrics = evaluate(model_file(), data, "validation").metrics;
  for (const char* name : {"precision", "recall", "f1", "roc_auc", "log_loss"}) {
    const Json objective = {{"metric", name}, {"validation", {{"split", "validation"}}}};
    const auto trial =
        tasks::run_tune(spec("tune", {{"train", config}, {"objective", objective}}, {{"data", data}}), comm);
    EXPECT_EQ(trial.metrics.at("value"), metrics.at(name)) << name;
  }
}

TEST_F(Evaluation, OnTheTrainingRowsAgreesWithTheTraining) {
  const auto data = fold_four("digits", "digit");
  const auto fitted = train(data, train_config(softmax_model(), lbfgs()));
  const auto result = evaluate(model_file(), data, "train");
  EXPECT_DOUBLE_EQ(result.metrics.at("accuracy").get<double>(),
                   fitted.metrics.at("train_accuracy").get<double>());
  EXPECT_NEAR(result.metrics.at("log_loss").get<double>(), fitted.metrics.at("train_loss").get<double>(),
              1e-10);
}

TEST_F(Evaluation, AMissingSplitIsSaid) {
  const auto data = dataset("iris", {{"target", {{"column", "species"}, {"type", "auto"}}}});
  train(data, train_config(softmax_model(), lbfgs()));
  EXPECT_EQ(message_of<tasks::TaskError>([&] { evaluate(model_file(), data); }),
            "the dataset has no test rows");
}

TEST_F(Evaluation, AModelOfOtherDataIsRefused) {
  train(fold_four("iris", "species"), train_config(softmax_model(), lbfgs()));
  const auto digits = fold_four("digits", "digit");
  EXPECT_EQ(message_of<tasks::TaskError>([&] { evaluate(model_file(), digits); }),
            "the model does not fit the data: it was trained on 4 features, and the data has 64");
}

class Forecast : public Evaluation {
 protected:
  std::filesystem::path returns() {
    return dataset(
        "eustockmarkets",
        {{"split", {{"type", "chronological"}, {"train", 0.7}, {"validation", 0.15}, {"test", 0.15}}},
         {"scale", "standard"},
         {"series",
          {{"transform", "log_return"}, {"window", 10}, {"horizon", 1}, {"columns", Json::array()}}}});
  }
  static Json regression(double l2) {
    return {{"type", "linear_regression"}, {"l2", l2}, {"regularize_bias", false}, {"init", nullptr}};
  }
};

// A model that is held at zero is the naive forecast itself: its figures are known.
TEST_F(Forecast, NoChangeHasTheReferenceErrors) {
  const auto data = returns();
  const Json optimizer = {{"type", "gradient_descent"}, {"learning_rate", 0.0}, {"steps", 1}};
  train(data, train_config(regression(0), optimizer));
  const Json metrics = evaluate(model_file(), data).metrics;
  EXPECT_EQ(metrics.at("rows"), 278);
  EXPECT_NEAR(metrics.at("naive_price_rmse_DAX").get<double>(), 67.865, 5e-4);
  EXPECT_NEAR(metrics.at("naive_price_mape_DAX").get<double>(), 1.143, 5e-4);
  EXPECT_NEAR(metrics.at("naive_rmse").get<double>(), 13.0318e-3, 5e-8);
  EXPECT_DOUBLE_EQ(metrics.at("price_rmse_DAX").get<double>(),
                   metrics.at("naive_price_rmse_DAX").get<double>());
  EXPECT_EQ(metrics.at("r2_vs_naive"), 0.0);
  EXPECT_EQ(metrics.at("dm_statistic"), 0.0);
  EXPECT_EQ(metrics.at("dm_p_value"), 1.0);
}

// Ten lags of four markets overfit a little; no honest model is far from the naive one on either side.
TEST_F(Forecast, ALinearModelIsNotFarFromNoChange) {
  const auto data = returns();
  train(data, train_config(regression(0), lbfgs()));
  const Json metrics = evaluate(model_file(), data).metrics;
  EXPECT_NEAR(metrics.at("r2_vs_naive").get<double>(), 0.0, 0.08);
  EXPECT_NE(metrics.at("r2_vs_naive").get<double>(), 0.0);
  EXPECT_GT(metrics.at("dm_p_value").get<double>(), 0.0);
  EXPECT_LE(metrics.at("dm_p_value").get<double>(), 1.0);
}

// From tables of Student's t: 2.228 with 10 degrees of freedom and 1.96 with many leave 5 %.
TEST(StudentsT, HasTheTabledTails) {
  EXPECT_NEAR(tasks::student_two_sided(2.228139, 10), 0.05, 1e-6);
  EXPECT_NEAR(tasks::student_two_sided(12.7062, 1), 0.05, 1e-6);
  EXPECT_NEAR(tasks::student_two_sided(1.959964, 1e7), 0.05, 1e-6);
  EXPECT_DOUBLE_EQ(tasks::student_two_sided(0, 5), 1.0);
}

// By hand: d = 1, 2, 3, 4 has mean 2.5 and variance 1.25, so 2.5 / sqrt(1.25 / 4) = 4.4721; times sqrt(3 /
// 4).
TEST(DieboldMariano, AgreesWithASumByHand) {
  const std::vector<double> differential{1, 2, 3, 4};
  EXPECT_NEAR(tasks::diebold_mariano(differential, 1).statistic, 4.472135955 * 0.8660254038, 1e-9);
  const std::vector<double> opposite{-1, -2, -3, -4};
  EXPECT_NEAR(tasks::diebold_mariano(opposite, 1).statistic, -4.472135955 * 0.8660254038, 1e-9);
}

}  // namespace
}  // namespace kernmill::testing
