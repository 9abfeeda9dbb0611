#include <gmock/gmock.h>

#include "learn_world.hpp"

// Recurrent networks over the windows of four stock indices. Their layers by themselves:
// learn_layers_test.cpp.
namespace kernmill::testing {
namespace {

using tasks::Json;

class RecurrentNetworks : public LearnWorld {
 protected:
  std::filesystem::path returns() {
    return dataset(
        "eustockmarkets",
        {{"split", {{"type", "chronological"}, {"train", 0.7}, {"validation", 0.15}, {"test", 0.15}}},
         {"series",
          {{"transform", "log_return"}, {"window", 10}, {"horizon", 1}, {"columns", Json::array()}}}});
  }
  static Json model(const std::string& type, int hidden, int layers, double dropout) {
    return {{"type", type}, {"hidden", hidden}, {"layers", layers}, {"dropout", dropout}, {"l2", 0.0}};
  }
};

TEST_F(RecurrentNetworks, GiveTheSameBitsOnAnyNumberOfRanks) {
  const auto data = returns();
  Json lstm = train_config(model("lstm", 8, 1, 0.1), adam(5e-3, 1, 256));
  train_twice(data, lstm);
  lstm["precision"] = "float32";
  train_twice(data, lstm);
  Json gru = train_config(model("gru", 6, 2, 0.1), adam(5e-3, 1, 256));
  train_twice(data, gru);
  gru["precision"] = "float32";
  train_twice(data, gru);
}

// bfloat16 has three digits: a model of its own, whose loss is nearly the other's.
TEST_F(RecurrentNetworks, MixedPrecisionFollowsSinglePrecisionWithTheSameBitsOnAnyNumberOfRanks) {
  Json config = train_config(model("lstm", 8, 2, 0), adam(5e-3, 1, 256));
  config["precision"] = "float32";
  const auto data = returns();
  const double loss = train(data, config).metrics.at("train_loss");
  const std::uint64_t single = digest(parameters());
  config["precision"] = "mixed";
  expect_relative(train_twice(data, config).metrics.at("train_loss"), loss, 1e-2);
  EXPECT_NE(digest(parameters()), single);
}

TEST_F(RecurrentNetworks, GoOnFromACheckpointAsIfNothingHadBeen) {
  Json config = train_config(model("lstm", 6, 2, 0.3), adam(5e-3, 2, 256));
  config["checkpoint"]["every"] = 1;
  tasks::Spec wanted = spec("train", config, {{"data", returns()}}, "stopped");
  wanted.checkpoint_directory = directory / "checkpoints";
  (void)tasks::run_train(wanted, comm);
  const std::uint64_t whole = digest(parameters("stopped"));
  (void)tasks::run_train(wanted, comm);  // the last epoch, from its checkpoint
  EXPECT_EQ(digest(parameters("stopped")), whole);
}

// An LSTM of 16 in PyTorch reaches +.0151, a linear model with so many inputs -.03: there is little to learn.
TEST_F(RecurrentNetworks, AnLstmIsAboutAsGoodAsNoChange) {
  const auto data = returns();
  train(data, train_config(model("lstm", 16, 1, 0), adam(5e-3, 12, 64)));
  const Json metrics =
      tasks::run_evaluate(spec("evaluate", {{"split", "test"}}, {{"model", model_file()}, {"data", data}}),
                          comm)
          .metrics;
  EXPECT_EQ(metrics.at("rows"), 278);
  EXPECT_NEAR(metrics.at("naive_rmse").get<double>(), 13.0318e-3, 5e-8);
  EXPECT_GT(metrics.at("r2_vs_naive").get<double>(), -0.03);
  EXPECT_LT(metrics.at("r2_vs_naive").get<double>(), 0.05);
  EXPECT_GT(metrics.at("dm_p_value").get<double>(), 0.01);
}

TEST_F(RecurrentNetworks, MinimiseWithAllRowsAtOnceToo) {
  const auto data = returns();
  const Json few = train(data, train_config(model("gru", 4, 1, 0), lbfgs(2))).metrics;
  const Json more = train(data, train_config(model("gru", 4, 1, 0), lbfgs(10)), "more").metrics;
  EXPECT_LT(more.at("train_loss").get<double>(), few.at("train_loss").get<double>());
}

TEST_F(RecurrentNetworks, NeedWindows) {
  const auto data = dataset("linear_regression", {{"target", {{"column", "y"}, {"type", "number"}}}});
  EXPECT_THAT(message_of<tasks::TaskError>(
                  [&] { train(data, train_config(model("lstm", 4, 1, 0), adam(1e-2, 1, 50))); }),
              ::testing::HasSubstr("lstm reads windows of a series, and"));
}

}  // namespace
}  // namespace kernmill::testing
