#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "kernmill/kernels/random.hpp"
#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/tasks/support/task_error.hpp"
#include "learn_world.hpp"
#include "preprocess_settings.hpp"

// A weight of 2 is the row twice, one of 0 the row left out, and weights of 1 are none. How training compares
// with scikit-learn's is in tests/cli/beside_rivals.py.
namespace kernmill::testing {
namespace {

using tasks::Json;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr int row_count = 90;

/// A small integer, drawn for a row and a purpose.
int drawn(int row, int purpose, int below) {
  return static_cast<int>(
      kernels::uniform(7, static_cast<std::uint64_t>(purpose), static_cast<std::uint64_t>(row)) * below);
}

int weight_of_row(int row) {
  return drawn(row, 0, 3);
}

/// Three features, about which the target is right but for some noise.
std::string row_text(int row, bool classes) {
  double x[3], y = 0.3;
  for (int j = 0; j < 3; ++j) {
    x[j] = drawn(row, 1 + j, 2001) / 1000.0 - 1;
    y += (j + 1) * x[j];
  }
  y += drawn(row, 4, 2001) / 1000.0 - 1;
  const std::string target = classes ? (y > 1 ? "high" : y > -1 ? "middle" : "low") : fmt::format("{}", y);
  return fmt::format("{},{},{},{}", x[0], x[1], x[2], target);
}

enum class Table {
  weighted,  ///< with a column of the weights 0, 1 and 2
  repeated,  ///< each row as often as its weight says
  ones,      ///< with a column of ones
  plain      ///< each row once
};

class Weights : public LearnWorld {
 protected:
  /// Prepared once.
  fs::path table(Table kind, bool classes, Json settings = Json::object()) {
    fs::path& made = made_[{kind, classes}];
    if (made.empty()) made = prepare(kind, classes, std::move(settings));
    return made;
  }

  fs::path prepare(Table kind, bool classes, Json settings) {
    const bool column = kind == Table::weighted || kind == Table::ones;
    std::string text = column ? "a,b,c,y,w\n" : "a,b,c,y\n";
    for (int row = 0; row < row_count; ++row) {
      const int weight = weight_of_row(row), times = kind == Table::repeated ? weight : 1;
      for (int i = 0; i < times; ++i) {
        text += row_text(row, classes);
        if (column) text += fmt::format(",{}", kind == Table::ones ? 1 : weight);
        text += '\n';
      }
    }
    const std::string name = fmt::format("table_{}_{}", static_cast<int>(kind), classes);
    put(directory / (name + ".csv"), text);
    settings["target"] = {{"column", "y"}, {"type", classes ? "class" : "number"}};
    if (column) settings["sample_weight"] = "w";
    const tasks::Spec made = spec("preprocess", preprocess_settings(settings),
                                  {{"input", directory / (name + ".csv")}}, "prepare-" + name);
    tasks::run_preprocess(made, comm);
    return made.output_directory / "dataset.h5";
  }

  /// What the two trainings find agrees, of a method that comes to a minimum.
  void expect_same_optimum(const Json& config, bool classes, double tolerance) {
    SCOPED_TRACE(config.dump());
    const tasks::Result weighted = train(table(Table::weighted, classes), config);
    const std::vector<double> ours = parameters();
    const tasks::Result repeated = train(table(Table::repeated, classes), config);
    const std::vector<double> theirs = parameters();
    ASSERT_EQ(ours.size(), theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) EXPECT_NEAR(ours[i], theirs[i], tolerance) << i;
    for (const char* metric : {"objective", "train_loss", "duality_gap"}) {
      if (!weighted.metrics.contains(metric)) continue;
      EXPECT_NEAR(weighted.metrics.at(metric).get<double>(), repeated.metrics.at(metric).get<double>(),
                  tolerance)
          << metric;
    }
  }

  /// The same bits, in every number that a training tells.
  void expect_ones_change_nothing(const Json& config, bool classes) {
    if (comm.size() > 1) return;
    SCOPED_TRACE(config.dump());
    const tasks::Result ones = train(table(Table::ones, classes), config);
    const std::uint64_t ours = digest(parameters());
    const tasks::Result plain = train(table(Table::plain, classes), config);
    EXPECT_EQ(ours, digest(parameters()));
    EXPECT_EQ(ones.metrics.dump(), plain.metrics.dump());
  }

  /// One rank shows what weights are, two that these have the bits of one. More, for which a small machine
  /// takes long, are left to the tests that are about ranks.
  void check(const Json& config, bool classes, double tolerance) {
    if (comm.size() == 2) train_twice(table(Table::weighted, classes), config);
    if (comm.size() > 1) return;
    expect_same_optimum(config, classes, tolerance);
    expect_ones_change_nothing(config, classes);
  }

  std::string failure(const fs::path& data, const Json& config) {
    try {
      train(data, config);
    } catch (const tasks::TaskError& error) {
      return error.what();
    }
    return "no error";
  }

 private:
  std::map<std::pair<Table, bool>, fs::path> made_;
};

Json exactly(Json optimizer) {
  optimizer["tolerance"] = 1e-13;
  optimizer["objective_tolerance"] = 0.0;
  return optimizer;
}

Json newton() {
  return {{"type", "newton"}, {"max_iterations", 100}, {"tolerance", 1e-12}, {"objective_tolerance", 0.0}};
}

Json interior_point() {
  return {
      {"type", "interior_point"}, {"max_iterations", 200}, {"gap_tolerance", 1e-9}, {"max_features", 2000}};
}

Json regression(double l1, double l2) {
  return {
      {"type", "linear_regression"}, {"l1", l1}, {"l2", l2}, {"regularize_bias", false}, {"init", nullptr}};
}

// Newton ends where rounding hides any lower objective: parameters agree to about the root of that.
TEST_F(Weights, OfSoftmaxAreRepetitions) {
  check(train_config(softmax_model(), exactly(lbfgs())), true, 1e-6);
  check(train_config(softmax_model(), newton()), true, 1e-7);
}

TEST_F(Weights, OfSquaredHingeAreRepetitions) {
  check(train_config(svm_model(), exactly(lbfgs())), true, 1e-6);
  check(train_config(svm_model(), newton()), true, 1e-7);
}

TEST_F(Weights, OfHingeAreRepetitions) {
  Json model = svm_model();
  model["loss"] = "hinge";
  check(train_config(model, interior_point()), true, 1e-4);
}

TEST_F(Weights, OfSupportVectorRegressionAreRepetitions) {
  const Json model = {{"type", "linear_svr"},
                      {"C", 1.0},
                      {"epsilon", 0.1},
                      {"regularize_bias", true},
                      {"loss", "epsilon_insensitive"}};
  check(train_config(model, interior_point()), false, 1e-4);
  Json squared = model;
  squared["loss"] = "squared_epsilon_insensitive";
  check(train_config(squared, newton()), false, 1e-8);
}

TEST_F(Weights, OfLeastSquaresAreRepetitions) {
  const Json closed = {{"type", "closed_form"}, {"max_features", 2000}};
  const Json coordinates = {
      {"type", "coordinate_descent"}, {"max_iterations", 10000}, {"gap_tolerance", 1e-13}};
  check(train_config(regression(0, 0), closed), false, 1e-11);
  check(train_config(regression(0, 0.1), closed), false, 1e-11);
  check(train_config(regression(0.2, 0.1), coordinates), false, 1e-9);
  check(train_config(regression(0, 0.1), exactly(lbfgs())), false, 1e-6);
  Json huber = regression(0, 0.1);
  huber["loss"] = "huber";
  huber["delta"] = 0.5;
  check(train_config(huber, newton()), false, 1e-8);
}

// Steps of all rows at once follow the same path, whatever the rows are called.
TEST_F(Weights, OfWholeBatchesOfANetworkAreRepetitions) {
  const Json descent = {{"type", "gradient_descent"}, {"learning_rate", 0.1}, {"steps", 50}};
  check(train_config(mlp_model({5}, "tanh"), descent), true, 1e-10);
  check(train_config(mlp_model({5}, "tanh"), adam(0.01, 20, 1000)), true, 1e-10);
  check(train_config(mlp_model({5}, "tanh"), sgd(0.05, 20, 1000)), false, 1e-10);
}

// Batches of other rows are other steps: here ones are compared with none, and ranks with one.
TEST_F(Weights, OfBatchesHaveTheSameBitsOnAnyNumberOfRanks) {
  for (const char* precision : {"float32", "float64"}) {
    if (comm.size() > 2 && std::string(precision) == "float64") return;
    Json config = train_config(mlp_model({6, 4}), adam(0.01, 4, 16));
    config["precision"] = precision;
    config["class_weight"] = "balanced";
    expect_ones_change_nothing(config, true);
    train_twice(table(Table::weighted, true), config);
  }
  expect_ones_change_nothing(train_config(regression(0, 0.1), sgd(0.01, 4, 16)), false);
  train_twice(table(Table::weighted, false), train_config(regression(0, 0.1), sgd(0.01, 4, 16)));
}

// The batch's loss is the mean by weight: a batch of rows of weight 3 is that of rows of weight 1.
TEST_F(Weights, OfABatchAreRelative) {
  if (comm.size() > 2) return;
  std::string text = "a,y,w\n";
  for (int i = 0; i < 32; ++i) text += fmt::format("{},{},3\n", i % 7, i % 5);
  put(directory / "threes.csv", text);
  const auto prepared = [&](bool weighted) {
    Json settings = {{"target", {{"column", "y"}, {"type", "number"}}}, {"drop", {"w"}}};
    if (weighted) settings.erase("drop"), settings["sample_weight"] = "w";
    const tasks::Spec made = spec("preprocess", preprocess_settings(settings),
                                  {{"input", directory / "threes.csv"}}, weighted ? "threes" : "once");
    tasks::run_preprocess(made, comm);
    return made.output_directory / "dataset.h5";
  };
  const Json config = train_config(mlp_model({3}, "tanh"), sgd(0.01, 5, 8));
  train(prepared(true), config, "with");
  train(prepared(false), config, "without");
  const auto with = parameters("with"), without = parameters("without");
  for (std::size_t i = 0; i < with.size(); ++i) EXPECT_NEAR(with[i], without[i], 1e-13);
}

TEST_F(Weights, OfEarlyStoppingAreThoseOfTheValidationRows) {
  if (comm.size() > 2) return;
  const Json split = {{"split",
                       {{"type", "random"},
                        {"test", 0.0},
                        {"validation", 0.3},
                        {"stratify", false},
                        {"seed", 1},
                        {"group", ""}}}};
  Json config = train_config(mlp_model({5}), adam(0.01, 10, 16));
  config["optimizer"]["early_stopping"] = {{"patience", 3}, {"threshold", 0.0}};
  const tasks::Result ones = train_twice(table(Table::ones, true, split), config);
  EXPECT_EQ(train(table(Table::plain, true, split), config).metrics.dump(), ones.metrics.dump());
  const tasks::Result weighted = train_twice(table(Table::weighted, true, split), config);
  EXPECT_NE(weighted.metrics.at("validation_loss"), ones.metrics.at("validation_loss"));
}

TEST_F(Weights, OfAKernelSvmAreLimitsOfTheirRows) {
  const Json model = {{"type", "kernel_svm"}, {"kernel", "rbf"}, {"gamma", 0.7},     {"degree", 3},
                      {"coef0", 0.0},         {"C", 1.0},        {"tolerance", 1e-9}};
  const Json config = train_config(model, lbfgs());
  expect_ones_change_nothing(config, true);
  const tasks::Result weighted = train_twice(table(Table::weighted, true), config);
  const tasks::Result repeated = train(table(Table::repeated, true), config);
  EXPECT_NEAR(weighted.metrics.at("objective").get<double>(), repeated.metrics.at("objective").get<double>(),
              1e-6);
}

TEST_F(Weights, OfRandomFeaturesAreRepetitions) {
  const Json model = {{"type", "kernel_svm"}, {"kernel", "rbf"},      {"gamma", 0.7},
                      {"degree", 3},          {"coef0", 0.0},         {"C", 1.0},
                      {"tolerance", 1e-9},    {"random_features", 20}};
  check(train_config(model, lbfgs()), true, 1e-6);
}

TEST_F(Weights, OfClustersAreRepetitions) {
  const auto config = [](const Json& changes) {
    Json model = {{"type", "kmeans"},      {"k", 4},           {"init", "plus_plus"}, {"restarts", 2},
                  {"max_iterations", 300}, {"tolerance", 0.0}, {"epochs", 10}};
    model.update(changes);
    return Json{{"model", std::move(model)}, {"seed", 0}, {"checkpoint", {{"every", 1}, {"keep", 2}}}};
  };
  for (const char* init : {"plus_plus", "parallel"}) {
    expect_ones_change_nothing(config({{"init", init}}), true);
    train_twice(table(Table::weighted, true), config({{"init", init}}));
  }
  // Starts are drawn among other rows: here is one for both.
  train(table(Table::plain, true), config({{"max_iterations", 1}}), "start");
  const auto from_start = [&](Table kind) {
    tasks::Spec made = spec("train", config(Json::object()),
                            {{"data", table(kind, true)}, {"start_from", model_file("start")}});
    return tasks::run_train(made, comm).metrics.at("inertia").get<double>();
  };
  const double inertia = from_start(Table::weighted);
  const std::vector<double> centers = parameters("train");
  EXPECT_NEAR(from_start(Table::repeated), inertia, 1e-10);
  const std::vector<double> others = parameters("train");
  for (std::size_t i = 0; i < centers.size(); ++i) EXPECT_NEAR(others[i], centers[i], 1e-12);
  expect_ones_change_nothing(config({{"batch_size", 20}}), true);
  train_twice(table(Table::weighted, true), config({{"batch_size", 20}}));
}

TEST_F(Weights, AreToldByTheModel) {
  if (comm.size() > 2) return;
  train(table(Table::weighted, true), train_config(softmax_model(), lbfgs()));
  const auto model = storage::read_model(comm.handle(), model_file());
  EXPECT_EQ(Json::parse(model.settings).at("sample_weight"), "w");
  EXPECT_EQ(model.schema.weight, "w");
}

/// The rows of a table of two classes, as sparse ones or whole.
std::filesystem::path write_rows(const tasks::Communicator& comm, const fs::path& file, bool sparse) {
  storage::Schema schema;
  schema.features = {"f1", "f2", "f3"};
  schema.target = "label";
  schema.target_kind = storage::TargetKind::classes;
  schema.classes = {"0", "1"};
  schema.weight = "w";
  storage::WriteOptions options;
  options.encoding.sparse = sparse;
  options.entries = {sparse ? row_count : 0U, 0, 0};
  storage::DatasetWriter writer(comm.handle(), file, schema, {row_count, 0, 0}, options);
  storage::SparseRows rows;
  std::vector<double> whole, target, weights;
  std::vector<std::uint64_t> numbers;
  for (int row = 0; comm.is_root() && row < row_count; ++row) {  // one number each
    const double value = drawn(row, 5, 100) / 50.0 - 1;
    whole.resize(whole.size() + 3, 0.0);
    whole[whole.size() - 3 + static_cast<std::size_t>(row % 3)] = value;
    rows.columns.push_back(static_cast<std::uint32_t>(row % 3));
    rows.values.push_back(value);
    rows.begins.push_back(rows.values.size());
    target.push_back(value + drawn(row, 6, 100) / 100.0 > 0.5 ? 1 : 0);
    weights.push_back(weight_of_row(row));
    numbers.push_back(static_cast<std::uint64_t>(row));
  }
  const std::uint64_t first = comm.is_root() ? 0 : row_count;
  sparse ? writer.write_sparse(storage::Part::train, first, first, rows, target, numbers)
         : writer.write(storage::Part::train, first, whole, target, numbers);
  writer.write_weights(storage::Part::train, first, weights);
  writer.commit();
  return file;
}

TEST_F(Weights, OfSparseRowsAreThoseOfWholeOnes) {
  if (comm.size() > 2) return;
  const auto dense = write_rows(comm, directory / "dense.h5", false);
  const auto sparse = write_rows(comm, directory / "sparse.h5", true);
  for (const Json& optimizer : {newton(), sgd(0.01, 3, 16)}) {
    const Json config = train_config(softmax_model(), optimizer);
    train(dense, config);
    const std::vector<double> expected = parameters();
    train(sparse, config);
    const std::vector<double> found = parameters();
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-10) << i;
  }
}

// However the rows come: kept, or read at each step.
TEST_F(Weights, AreThoseOfTheRowsWhereverTheseAreKept) {
  if (comm.size() > 2) return;
  const auto data = table(Table::weighted, true);
  for (const Json& optimizer : {lbfgs(), adam(0.01, 3, 16)}) {
    Json config = train_config(optimizer.at("type") == "lbfgs" ? softmax_model() : mlp_model({4}), optimizer);
    train(data, config);
    const std::uint64_t kept = digest(parameters());
    config["cache"] = 0;
    train(data, config);
    EXPECT_EQ(digest(parameters()), kept);
  }
}

TEST_F(Weights, AreCarriedOnAfterAResumption) {
  Json config = train_config(mlp_model({4}), adam(0.01, 6, 16));
  config["checkpoint"]["every"] = 1;
  tasks::Spec made = spec("train", config, {{"data", table(Table::weighted, true)}}, "resumed");
  made.checkpoint_directory = directory / "checkpoints";
  const tasks::Result whole = tasks::run_train(made, comm);
  const std::uint64_t end = digest(parameters("resumed"));
  EXPECT_EQ(tasks::run_train(made, comm).metrics.dump(), whole.metrics.dump());
  EXPECT_EQ(digest(parameters("resumed")), end);
}

TEST_F(Weights, AreRefusedWhereAModelTakesNone) {
  if (comm.size() > 2) return;
  const Json pca = {
      {"model", {{"type", "pca"}, {"components", 2}, {"method", "covariance"}, {"whiten", false}}},
      {"seed", 0},
      {"checkpoint", {{"every", 1}, {"keep", 2}}}};
  EXPECT_THAT(failure(table(Table::weighted, true), pca), HasSubstr("a pca takes all rows alike"));
}

// A fold of a search may have none that count.
TEST_F(Weights, ThatAreAllZeroAreAnError) {
  if (comm.size() > 2) return;
  std::string text = "a,y,w\n";
  for (int i = 0; i < 8; ++i) text += fmt::format("{},{},{}\n", i, i % 3 == 0 ? "p" : "q", i % 2);
  put(directory / "zeros.csv", text);
  const tasks::Spec made =
      spec("preprocess",
           preprocess_settings({{"target", {{"column", "y"}, {"type", "class"}}}, {"sample_weight", "w"}}),
           {{"input", directory / "zeros.csv"}}, "zeros");
  tasks::run_preprocess(made, comm);
  const tasks::Spec search = spec("tune",
                                  {{"train", train_config(softmax_model(), lbfgs())},
                                   {"objective", {{"metric", "accuracy"}, {"validation", {{"folds", 2}}}}}},
                                  {{"data", made.output_directory / "dataset.h5"}});
  try {
    tasks::run_tune(search, comm);
    ADD_FAILURE() << "no error";
  } catch (const tasks::TaskError& error) {
    EXPECT_THAT(error.what(), HasSubstr("the weight 'w' of every row to learn from is 0"));
  }
}

}  // namespace
}  // namespace kernmill::testing
