#include "learn_world.hpp"
#include "words.hpp"

// Learning from sparse rows: the models of the same rows dense, and those of scikit-learn and liblinear.
namespace kernmill::testing {
namespace {

using storage::Element;
using tasks::Json;

Json ridge_model() {
  return {{"type", "linear_regression"}, {"l2", 0.01}, {"regularize_bias", false}, {"init", nullptr}};
}

class Sparse : public LearnWorld {
 protected:
  std::filesystem::path file(const storage::Encoding& encoding, WordTarget target = WordTarget::classes) {
    const auto name = directory / (std::to_string(files_++) + ".h5");
    write_words(comm, name, words_, encoding, target);
    return name;
  }
  static storage::Encoding sparse(Element values = Element::f64) {
    storage::Encoding encoding;
    encoding.sparse = true;
    encoding.features = values;
    return encoding;
  }
  void expect_the_model_of_dense_rows(const Json& config, WordTarget target) {
    const auto result = train_twice(file(sparse(), target), config);
    const std::vector<double> found = parameters();
    const auto of_dense = train(file({}, target), config);
    expect_relative(result.metrics.at("objective"), of_dense.metrics.at("objective"), 1e-12);
    const std::vector<double> expected = parameters();
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], 1e-10) << "at " << i;
  }

  Words words_ = make_words(250, 500);

 private:
  int files_ = 0;
};

TEST_F(Sparse, RowsGiveTheModelOfTheSameRowsDense) {
  const Json descent = {{"type", "gradient_descent"}, {"learning_rate", 0.5}, {"steps", 20}};
  for (const Json& model : {softmax_model(), svm_model()})
    expect_the_model_of_dense_rows(train_config(model, descent), WordTarget::classes);
  expect_the_model_of_dense_rows(train_config(ridge_model(), descent), WordTarget::numbers);
}

TEST_F(Sparse, MiniBatchesGiveTheModelOfTheSameRowsDense) {
  expect_the_model_of_dense_rows(train_config(softmax_model(), sgd(0.05, 2, 64)), WordTarget::classes);
  expect_the_model_of_dense_rows(train_config(svm_model(), adam(1e-3, 2, 50)), WordTarget::classes);
  expect_the_model_of_dense_rows(train_config(mlp_model({8}), adam(1e-3, 2, 50)), WordTarget::classes);
  expect_the_model_of_dense_rows(train_config(ridge_model(), sgd(0.01, 2, 7)), WordTarget::numbers);
  Json several = adam(1e-3, 2, 20);  // dense rows come in portions then
  several["accumulate"] = 3;
  expect_the_model_of_dense_rows(train_config(mlp_model({8}), several), WordTarget::classes);
}

// Slices of the first layer have their columns of a compact gradient, those of a linear model their features.
TEST_F(Sparse, RowsGiveTheModelOfTheSameRowsDenseInEveryLayout) {
  const auto of_sparse = file(sparse()), of_dense = file({});
  const auto expect_one_model = [&](const Json& model, Json parallel) {
    Json config = train_config(model, sgd(0.05, 2, 50));
    config["optimizer"]["clip_norm"] = 0.2;
    config["parallel"] = {{"slices", parallel.at("slices")}};
    const tasks::Spec alone = spec("train", config, {{"data", of_sparse}}, "alone");
    on_first_rank([&](const tasks::Communicator& one) { (void)tasks::run_train(alone, one); });
    config["parallel"] = parallel;
    train(of_sparse, config);
    const std::vector<double> found = parameters();
    EXPECT_EQ(digest(found), digest(parameters("alone"))) << parallel;
    train(of_dense, config);
    const std::vector<double> expected = parameters();
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], 1e-10) << "at " << i;
  };
  const int ranks = comm.size();
  if (ranks == 3) return expect_one_model(mlp_model({8, 6}), {{"pipeline", 3}, {"slices", 2}});
  const int pairs = ranks == 4 ? 2 : 1;
  expect_one_model(mlp_model({8, 6}), {{"tensor", ranks / pairs}, {"pipeline", pairs}, {"slices", 2}});
  expect_one_model(softmax_model(), {{"data", pairs}, {"tensor", ranks / pairs}, {"slices", 4}});
}

// See reference_words.py.
TEST_F(Sparse, LinearModelsReachTheReferenceObjectives) {
  words_ = make_words(600, 2000);
  const auto data = file(sparse());
  const auto softmax = train_twice(data, train_config(softmax_model(), lbfgs()));
  expect_relative(softmax.metrics.at("objective"), 240.6776857212, 1e-8);
  const Json each = train_twice(data, train_config(svm_model(), lbfgs())).metrics.at("objective_per_class");
  expect_relative(each.at(0), 60.56995222, 1e-6);
  expect_relative(each.at(1), 63.18659916, 1e-6);
  expect_relative(each.at(2), 42.85951265, 1e-6);
  const auto ridge = train_twice(file(sparse(), WordTarget::numbers), train_config(ridge_model(), lbfgs()));
  expect_relative(ridge.metrics.at("objective"), 2.493699864599, 1e-8);
}

TEST_F(Sparse, RowsAreEvaluatedAndSearchedAsTheSameRowsDense) {
  const Json config = train_config(softmax_model(), lbfgs(20));
  const Json objective = {{"metric", "log_loss"}, {"goal", "minimize"}, {"validation", {{"folds", 3}}}};
  Json judged[2], tried[2];
  for (const bool is_sparse : {false, true}) {
    const auto data = file(is_sparse ? sparse() : storage::Encoding{});
    train(data, config);
    judged[is_sparse] =
        tasks::run_evaluate(spec("evaluate", {{"split", "test"}}, {{"model", model_file()}, {"data", data}}),
                            comm)
            .metrics;
    tried[is_sparse] =
        tasks::run_tune(spec("tune", {{"train", config}, {"objective", objective}}, {{"data", data}}), comm)
            .metrics;
  }
  for (const auto& [name, value] : judged[0].items()) {
    if (!value.is_number()) continue;
    EXPECT_NEAR(judged[1].at(name).get<double>(), value.get<double>(), 1e-9) << name;
  }
  EXPECT_NEAR(tried[1].at("value").get<double>(), tried[0].at("value").get<double>(), 1e-9);
}

// Values of eighths are the same numbers in each of these types.
TEST_F(Sparse, NeitherTheTypeOfTheValuesNorWhereTheRowsAreKeptChangesABit) {
  const Json kept = train_config(softmax_model(), lbfgs(10));
  Json streamed = kept;
  streamed["cache"] = 0;
  std::optional<std::uint64_t> bits;
  for (const Element type : {Element::f64, Element::f32, Element::f16}) {
    const auto data = file(sparse(type));
    for (const Json& config : {kept, streamed}) {
      train(data, config);
      if (!bits) bits = digest(parameters());
      EXPECT_EQ(digest(parameters()), *bits) << to_string(type);
    }
  }
}

class Typed : public Sparse {};

TEST_F(Typed, DenseRowsGiveTheSameBitsWhateverTheirTypeAndWhereverTheyAreKept) {
  Json config = train_config(softmax_model(), lbfgs(10));
  std::optional<std::uint64_t> bits;
  storage::Encoding floats, mixed;
  floats.features = Element::f32;
  mixed.features = Element::f32;
  mixed.bytes = {0, 3, static_cast<std::uint32_t>(words_.features) - 1};
  mixed.center.assign(words_.features, 0.0);
  mixed.scale.assign(words_.features, 1.0);
  for (double& value : words_.rows.values) value *= 8;  // whole numbers
  for (const auto& encoding : {storage::Encoding{}, floats, mixed}) {
    const auto data = file(encoding);
    for (const std::uint64_t cache : {std::uint64_t{0}, std::uint64_t{1} << 20U, std::uint64_t{1} << 30U}) {
      config["cache"] = cache;
      train(data, config);
      if (!bits) bits = digest(parameters());
      EXPECT_EQ(digest(parameters()), *bits) << to_string(encoding.features) << ", cache " << cache;
    }
  }
}

TEST_F(Typed, BytesThatAreScaledGiveTheBitsOfScaledDoubles) {
  for (double& value : words_.rows.values) value *= 8;
  storage::Encoding bytes;
  bytes.features = Element::u8;
  bytes.center.assign(words_.features, 0.0);
  bytes.scale.assign(words_.features, 8.0);
  // the writer takes features, and the file has (feature * scale + center)
  Words scaled = words_;
  for (double& value : scaled.rows.values) value /= 8;
  words_ = scaled;
  const Json config = train_config(mlp_model({5}), adam(1e-3, 2, 64));
  train(file({}), config);
  const std::uint64_t expected = digest(parameters());
  train(file(bytes), config);
  EXPECT_EQ(digest(parameters()), expected);
}

}  // namespace
}  // namespace kernmill::testing
