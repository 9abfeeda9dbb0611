// A model is judged on a file that was never in a dataset.
#include <fstream>

#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/tasks/support/task_error.hpp"
#include "learn_world.hpp"
#include "preprocess_settings.hpp"

namespace kernmill::testing {
namespace {

using tasks::Json;

class FileEvaluation : public LearnWorld {
 protected:
  static Json reading(const std::string& on_bad_row = "error") {
    return {{"format", "auto"},     {"delimiter", "auto"},       {"decimal", "."},
            {"header", true},       {"datasets", Json::array()}, {"external_files", false},
            {"max_expansion", 100}, {"missing", Json::array()},  {"on_bad_row", on_bad_row},
            {"buffer", 1U << 29U}};
  }
  tasks::Result judge(const std::filesystem::path& file, const Json& config = reading()) {
    return tasks::run_evaluate(spec("evaluate", config, {{"model", model_file()}, {"input", file}}, "judge"),
                               comm);
  }
  /// A model of iris, trained on four fifths of it.
  std::filesystem::path iris_model() {
    const auto data = fold_four("iris", "species");
    train(data, train_config(softmax_model(), lbfgs()));
    return data;
  }
  /// A table beside the tests, from some lines of iris.csv.
  std::filesystem::path table(const std::string& name, const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    put(directory / name, text);
    return directory / name;
  }
  static std::vector<std::string> iris() {
    std::vector<std::string> lines;
    std::ifstream file(KERNMILL_DATA "/iris.csv");
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
};

TEST_F(FileEvaluation, OfTheRowsOfADatasetHasItsFigures) {
  const auto data = iris_model();
  const Json of_dataset = tasks::run_evaluate(spec("evaluate", {{"split", "all"}, {"buffer", 1U << 29U}},
                                                   {{"model", model_file()}, {"data", data}}),
                                              comm)
                              .metrics;
  const Json of_file = judge(KERNMILL_DATA "/iris.csv").metrics;
  for (const char* name : {"accuracy", "correct", "rows", "precision", "recall", "f1"})
    EXPECT_EQ(of_file.at(name), of_dataset.at(name)) << name;
  EXPECT_NEAR(of_file.at("roc_auc").get<double>(), of_dataset.at("roc_auc").get<double>(), 1e-9);
  EXPECT_NEAR(of_file.at("log_loss").get<double>(), of_dataset.at("log_loss").get<double>(), 1e-12);
}

TEST_F(FileEvaluation, TakesColumnsByNameAndSaysWhatItLeft) {
  iris_model();
  const auto result = judge(KERNMILL_DATA "/iris.csv");
  EXPECT_EQ(result.artifacts.at("report"), "evaluation.json");
  const Json report = Json::parse(content(directory / "judge" / "evaluation.json"));
  EXPECT_EQ(report.at("input"), "iris.csv");
  EXPECT_EQ(report.at("per_class").size(), 3U);
  EXPECT_EQ(report.at("confusion")[0][0], 50);
}

// The same bits as one rank alone.
TEST_F(FileEvaluation, HasTheSameBitsOnAnyNumberOfRanks) {
  iris_model();
  const Json together = judge(KERNMILL_DATA "/iris.csv").metrics;
  const auto one =
      spec("evaluate", reading(), {{"model", model_file()}, {"input", KERNMILL_DATA "/iris.csv"}}, "alone");
  on_first_rank([&](const tasks::Communicator& alone) {
    EXPECT_EQ(tasks::run_evaluate(one, alone).metrics.dump(), together.dump());
  });
}

TEST_F(FileEvaluation, WithoutTheTargetIsRefusedWithItsPlace) {
  iris_model();
  try {
    judge(KERNMILL_DATA "/new_flowers.csv");
    FAIL() << "there is no species in new_flowers.csv";
  } catch (const tasks::TaskError& error) {
    EXPECT_NE(std::string(error.what()).find("has no column 'species' (the target"), std::string::npos)
        << error.what();
    EXPECT_TRUE(error.where.ends_with("new_flowers.csv:1:1")) << error.where;
  }
}

TEST_F(FileEvaluation, ARowOfAnUnknownClassCountsAsWrong) {
  iris_model();
  auto lines = iris();
  lines.resize(21);
  lines[10].replace(lines[10].rfind(',') + 1, std::string::npos, "rosa");
  const Json metrics = judge(table("rosa.csv", lines)).metrics;
  EXPECT_EQ(metrics.at("rows"), 20);
  EXPECT_EQ(metrics.at("correct"), 19);
  EXPECT_EQ(metrics.at("unknown_class_rows"), 1);
  EXPECT_DOUBLE_EQ(metrics.at("accuracy").get<double>(), 0.95);
  EXPECT_LT(metrics.at("log_loss").get<double>(), 0.2);
}

TEST_F(FileEvaluation, ABadRowIsAnErrorOrLeftOut) {
  iris_model();
  auto lines = iris();
  lines.resize(21);
  lines[10].replace(0, lines[10].find(','), "wide");
  const auto file = table("bad.csv", lines);
  EXPECT_EQ(message_of<tasks::TaskError>([&] { judge(file); }),
            "'wide' in column 'sepal_length' is not a number");
  const auto result = judge(file, reading("skip"));
  EXPECT_EQ(result.metrics.at("rows"), 19);
  EXPECT_EQ(result.metrics.at("rejected"), 1);
  EXPECT_NE(content(directory / "judge" / "rejected.csv").find("wide"), std::string::npos);
}

TEST_F(FileEvaluation, WithoutAGoodRowIsAnErrorAndSaysWhy) {
  iris_model();
  const auto file = table("bad.csv", {iris()[0], "wide,3,1.4,0.2,setosa"});
  EXPECT_EQ(message_of<tasks::TaskError>([&] { judge(file, reading("skip")); }),
            "every row of " + file.string() + " was left out");
  EXPECT_NE(content(directory / "judge" / "rejected.csv").find("wide"), std::string::npos);
}

// LogisticRegression(C=1) of scikit-learn 1.9 for versicolor against virginica, which is l2 = 2/C of a
// softmax.
TEST_F(FileEvaluation, OfTwoClassesHasTheFiguresOfScikitLearn) {
  auto lines = iris();
  lines.erase(lines.begin() + 1, lines.begin() + 51);
  const auto file = table("two.csv", lines);
  const Json settings = preprocess_settings({{"target", {{"column", "species"}, {"type", "auto"}}}});
  const auto prepare = spec("preprocess", settings, {{"input", file}}, "prepare");
  tasks::run_preprocess(prepare, comm);
  train(prepare.output_directory / "dataset.h5",
        train_config({{"type", "softmax"}, {"l2", 2.0}, {"regularize_bias", false}}, lbfgs()));
  const Json metrics = judge(file).metrics;
  EXPECT_DOUBLE_EQ(metrics.at("accuracy").get<double>(), 0.96);
  EXPECT_NEAR(metrics.at("precision").get<double>(), 0.9607371794871795, 1e-12);
  EXPECT_NEAR(metrics.at("f1").get<double>(), 0.959983993597439, 1e-12);
  EXPECT_NEAR(metrics.at("log_loss").get<double>(), 0.16629472414964627, 1e-7);
  EXPECT_NEAR(metrics.at("roc_auc").get<double>(), 0.9952, 1e-9);
}

// Of y = 2 x exactly, a model with no error; of y = 2 x + 1, an error of 1 a row.
TEST_F(FileEvaluation, OfNumbersHasTheirErrors) {
  put(directory / "line.csv", "x,y\n0.5,1\n1,2\n1.5,3\n2,4\n3.25,6.5\n");
  put(directory / "above.csv", "y,x\n2,0.5\n3,1\n4,1.5\n5,2\n7.5,3.25\n");
  const Json settings = preprocess_settings({{"target", {{"column", "y"}, {"type", "number"}}}});
  const auto prepare = spec("preprocess", settings, {{"input", directory / "line.csv"}}, "prepare");
  tasks::run_preprocess(prepare, comm);
  const auto data = prepare.output_directory / "dataset.h5";
  train(data, train_config(
                  {{"type", "linear_regression"}, {"l2", 0.0}, {"regularize_bias", false}, {"init", nullptr}},
                  lbfgs()));
  const Json exact = judge(directory / "line.csv").metrics;
  EXPECT_NEAR(exact.at("rmse").get<double>(), 0, 1e-8);
  EXPECT_NEAR(exact.at("r2").get<double>(), 1, 1e-8);
  const Json above = judge(directory / "above.csv").metrics;
  EXPECT_NEAR(above.at("rmse").get<double>(), 1, 1e-8);
  EXPECT_NEAR(above.at("mae").get<double>(), 1, 1e-8);
  EXPECT_EQ(above.at("rows"), 5);
}

// 120 rows of 2000 columns, 8 of which are not 0; the class is the parity of the first.
TEST_F(FileEvaluation, OfSparseRowsIsThatOfTheirDataset) {
  std::string text;
  for (int row = 0; row < 120; ++row) {
    text += row % 2 == 0 ? "even" : "odd";
    for (int k = 0; k < 8; ++k)
      text += " " + std::to_string(1 + 200 * k + (row * (7 + 2 * k)) % 180) + ":0.5";
    text += "\n";
  }
  put(directory / "x.svm", text + "odd 2000:1\n");
  tasks::run_preprocess(
      spec("preprocess", preprocess_settings({{"target", {{"column", "label"}, {"type", "auto"}}}}),
           {{"input", directory / "x.svm"}}, "prepare"),
      comm);
  const auto data = directory / "prepare" / "dataset.h5";
  ASSERT_TRUE(storage::DatasetReader(comm.handle(), data).encoding().sparse);
  train(data, train_config(softmax_model(), lbfgs()));
  const Json of_dataset = tasks::run_evaluate(spec("evaluate", {{"split", "all"}, {"buffer", 1U << 29U}},
                                                   {{"model", model_file()}, {"data", data}}),
                                              comm)
                              .metrics;
  const Json of_file = judge(directory / "x.svm").metrics;
  for (const char* name : {"accuracy", "correct", "rows", "precision", "recall", "f1"})
    EXPECT_EQ(of_file.at(name), of_dataset.at(name)) << name;
  EXPECT_NEAR(of_file.at("log_loss").get<double>(), of_dataset.at("log_loss").get<double>(), 1e-12);
  EXPECT_GT(of_file.at("accuracy"), 0.9);
  put(directory / "y.svm", "green 5:1\n" + text);
  EXPECT_EQ(judge(directory / "y.svm").metrics.at("unknown_class_rows"), 1);
  Json config = reading();
  config["probabilities"] = false;
  const auto shipped = tasks::run_deploy(
      spec("deploy", config, {{"model", model_file()}, {"input", directory / "x.svm"}}, "ship"), comm);
  EXPECT_EQ(shipped.metrics.at("rows"), 121);
  EXPECT_TRUE(content(directory / "ship" / "predictions.csv").starts_with("row,prediction\n0,even\n1,odd\n"));
}

}  // namespace
}  // namespace kernmill::testing
