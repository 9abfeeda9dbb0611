#include <cmath>

#include <gmock/gmock.h>

#include "learn_world.hpp"
#include "preprocess_settings.hpp"

namespace kernmill::testing {
namespace {

using tasks::Json;

class Networks : public LearnWorld {
 protected:
  tasks::Result trial(const std::filesystem::path& data, const Json& config, const std::string& metric) {
    const Json objective = {{"metric", metric}, {"goal", "maximize"}, {"validation", {{"folds", 5}}}};
    return tasks::run_tune(spec("tune", {{"train", config}, {"objective", objective}}, {{"data", data}}),
                           comm);
  }
  std::filesystem::path whole(const std::string& name, const std::string& target) {
    return dataset(name, {{"target", {{"column", target}, {"type", "auto"}}}, {"scale", "standard"}});
  }
};

TEST_F(Networks, AdamGivesTheSameBitsOnAnyNumberOfRanks) {
  train_twice(fold_four("digits", "digit"), train_config(mlp_model({20, 10}), adam(1e-3, 3, 50)));
}

TEST_F(Networks, MomentumGivesTheSameBitsOnAnyNumberOfRanks) {
  train_twice(fold_four("iris", "species"), train_config(mlp_model({8}, "tanh"), sgd(0.05, 5, 16)));
}

/// With all that its hidden layers may have.
Json deep_model() {
  Json model = mlp_model({20, 10}, "gelu");
  model.update({{"layer_norm", true}, {"dropout", 0.2}});
  return model;
}

TEST_F(Networks, NormalisedLayersThatDropUnitsGiveTheSameBitsOnAnyNumberOfRanks) {
  const auto data = fold_four("digits", "digit");
  Json config = train_config(deep_model(), adam(1e-2, 2, 100));
  train_twice(data, config);
  const std::uint64_t dropped = digest(parameters());
  config["precision"] = "float32";
  train_twice(data, config);
  config = train_config(deep_model(), adam(1e-2, 2, 100));
  config["model"]["dropout"] = 0.0;
  train(data, config, "whole");
  EXPECT_NE(digest(parameters("whole")), dropped);
}

TEST_F(Networks, WhatIsDroppedIsTheSameAfterAResumption) {
  Json config = train_config(deep_model(), adam(1e-2, 2, 100));
  config["checkpoint"]["every"] = 1;
  tasks::Spec wanted = spec("train", config, {{"data", fold_four("digits", "digit")}}, "dropping");
  wanted.checkpoint_directory = directory / "checkpoints";
  (void)tasks::run_train(wanted, comm);
  const std::uint64_t whole = digest(parameters("dropping"));
  (void)tasks::run_train(wanted, comm);  // the last epoch, from its checkpoint
  EXPECT_EQ(digest(parameters("dropping")), whole);
}

TEST_F(Networks, AMultilayerPerceptronWithAllThatItMayHaveKnowsMostDigits) {
  const auto result = train(fold_four("digits", "digit"), train_config(deep_model(), adam(1e-2, 10, 50)));
  EXPECT_GT(result.metrics.at("train_accuracy").get<double>(), 0.97);  // without dropping any
}

TEST_F(Networks, TheHuberLossIsOfNumbers) {
  Json model = mlp_model({8});
  model.update({{"loss", "huber"}, {"delta", 0.1}});
  EXPECT_THAT(message_of<tasks::TaskError>(
                  [&] { train(fold_four("iris", "species"), train_config(model, adam(1e-2, 1, 50))); }),
              ::testing::HasSubstr("the Huber loss is for numbers, and the target 'species' is a class"));
  const auto data = dataset("linear_regression", {{"target", {{"column", "y"}, {"type", "number"}}}});
  const Json metrics = train(data, train_config(model, adam(1e-2, 3, 50))).metrics;
  EXPECT_LT(metrics.at("train_loss").get<double>(), 0.1 * 2 * 0.3);  // 0.1 (2 |e| - 0.1) at most
  EXPECT_FALSE(metrics.contains("train_rmse"));
}

TEST_F(Networks, SinglePrecisionGivesTheSameBitsOnAnyNumberOfRanks) {
  const auto data = fold_four("digits", "digit");
  Json config = train_config(mlp_model({20, 10}), adam(1e-3, 3, 50));
  const double loss = train(data, config).metrics.at("train_loss");
  config["precision"] = "float32";
  EXPECT_NEAR(train_twice(data, config).metrics.at("train_loss"), loss, 1e-4 * loss);
}

// bfloat16 has three digits: a model of its own, whose loss is nearly the other's.
TEST_F(Networks, MixedPrecisionFollowsSinglePrecisionWithTheSameBitsOnAnyNumberOfRanks) {
  const auto data = fold_four("digits", "digit");
  Json config = train_config(mlp_model({20, 10}), adam(1e-3, 3, 50));
  config["precision"] = "float32";
  const double loss = train(data, config).metrics.at("train_loss");
  const std::uint64_t single = digest(parameters());
  config["precision"] = "mixed";
  EXPECT_NEAR(train_twice(data, config).metrics.at("train_loss"), loss, 5e-3 * loss);
  EXPECT_NE(digest(parameters()), single);
  config["exact"] = false;
  EXPECT_NEAR(train(data, config, "fast").metrics.at("train_loss"), loss, 5e-3 * loss);
}

// Slices of a gradient of more than 32,768 parameters: each rank updates its own.
TEST_F(Networks, ALongGradientGivesTheSameBitsOnAnyNumberOfRanks) {
  train_twice(fold_four("digits", "digit"), train_config(mlp_model({300, 64}), adam(1e-3, 1, 256)));
}

TEST_F(Networks, FastSumsGiveTheSameBitsOnTheSameRanksAndFollowTheExactOnes) {
  const auto data = fold_four("digits", "digit");
  Json config = train_config(mlp_model({20, 10}), adam(1e-3, 3, 50));
  const double loss = train(data, config).metrics.at("train_loss");
  config["exact"] = false;
  const double fast = train(data, config, "fast").metrics.at("train_loss");
  train(data, config, "again");
  EXPECT_EQ(digest(parameters("fast")), digest(parameters("again")));
  EXPECT_NEAR(fast, loss, 1e-9 * loss);
}

Json adamw(int epochs, int batch_size, const Json& schedule) {
  Json optimizer = adam(1e-2, epochs, batch_size);
  optimizer.update({{"type", "adamw"}, {"weight_decay", 0.1}, {"clip_norm", 0.5}, {"schedule", schedule}});
  return optimizer;
}

TEST_F(Networks, ClippedAndScheduledAdamWGivesTheSameBitsOnAnyNumberOfRanks) {
  const Json schedule = {{"type", "cosine"}, {"floor", 0.1}, {"warmup", 0.5}};
  train_twice(fold_four("digits", "digit"), train_config(mlp_model({20, 10}), adamw(3, 50, schedule)));
}

TEST_F(Networks, ALongGradientIsAsLongAsItMayBe) {
  Json descent = sgd(0.1, 1, 1000);  // one step from zeros
  descent.update({{"momentum", 0.0}, {"clip_norm", 0.01}});
  train(fold_four("iris", "species"), train_config(softmax_model(), descent));
  double square = 0;
  for (const double value : parameters()) square += value * value;
  EXPECT_NEAR(std::sqrt(square), 0.1 * 0.01, 1e-15);
}

TEST_F(Networks, WeightsDecayAndBiasesDoNot) {
  Json config = train_config(softmax_model(), adamw(1, 1000, {{"type", "constant"}, {"warmup", 0.0}}));
  config["optimizer"]["epochs"] = 2;
  const auto data = fold_four("iris", "species");
  config["optimizer"]["weight_decay"] = 0.0;
  train(data, config);
  const std::vector<double> free = parameters();
  config["optimizer"]["weight_decay"] = 0.5;
  train(data, config, "decayed");
  const std::vector<double> decayed = parameters("decayed");
  // After the first step all are the same: zeros do not decay. The second shrinks 4 x 3 weights by 0.005.
  ASSERT_EQ(free.size(), 15U);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_NEAR(std::abs(free[i] - decayed[i]), 0.01 * 0.005, 1e-6) << i;
  for (std::size_t i = 12; i < 15; ++i) EXPECT_EQ(free[i], decayed[i]) << i;
}

TEST_F(Networks, ARateThatAPlateauHasLoweredIsPartOfACheckpoint) {
  const Json schedule = {
      {"type", "plateau"}, {"factor", 0.1}, {"patience", 0}, {"threshold", 0.9}, {"warmup", 0.0}};
  Json config = train_config(mlp_model({8}), adamw(4, 16, schedule));
  config["checkpoint"]["every"] = 1;
  tasks::Spec wanted = spec("train", config, {{"data", fold_four("iris", "species")}}, "plateau");
  wanted.checkpoint_directory = directory / "checkpoints";
  (void)tasks::run_train(wanted, comm);
  const std::uint64_t whole = digest(parameters("plateau"));
  (void)tasks::run_train(wanted, comm);  // the last epoch, from its checkpoint
  EXPECT_EQ(digest(parameters("plateau")), whole);
}

/// A tenth of the digits to learn from: too few for a network to go on getting better on others.
class EarlyStopping : public Networks {
 protected:
  std::filesystem::path data() {
    return dataset("digits", {{"target", {{"column", "digit"}, {"type", "auto"}}},
                              {"split",
                               {{"type", "random"},
                                {"test", 0.7},
                                {"validation", 0.2},
                                {"stratify", true},
                                {"group", ""},
                                {"seed", 1}}},
                              {"scale", "standard"}});
  }
  static Json config(int epochs, int patience) {
    Json optimizer = adam(1e-2, epochs, 32);
    optimizer["early_stopping"] = {{"patience", patience}, {"threshold", 0.0}};
    Json all = train_config(mlp_model({32}), optimizer);
    all["checkpoint"]["every"] = 1;
    return all;
  }
};

TEST_F(EarlyStopping, GivesTheModelThatTrainingHadInItsBestEpoch) {
  const auto rows = data();
  const Json stopped = train(rows, config(300, 5)).metrics;
  const int best = stopped.at("best_epoch");
  EXPECT_EQ(stopped.at("epochs"), best + 5);
  ASSERT_LT(best + 5, 300) << "it did not stop";
  const std::uint64_t early = digest(parameters());
  Json plain = config(best, 1);
  plain["optimizer"].erase("early_stopping");
  const Json until_then = train(rows, plain, "plain").metrics;
  EXPECT_EQ(digest(parameters("plain")), early);
  EXPECT_EQ(until_then.at("objective"), stopped.at("objective"));
  EXPECT_FALSE(until_then.contains("best_epoch"));
}

TEST_F(EarlyStopping, GivesTheSameBitsOnAnyNumberOfRanks) {
  train_twice(data(), config(8, 2));
}

TEST_F(EarlyStopping, GoesOnFromACheckpointWithTheBestEpochBehindIt) {
  tasks::Spec wanted = spec("train", config(300, 5), {{"data", data()}}, "stopping");
  wanted.checkpoint_directory = directory / "checkpoints";
  const Json whole = tasks::run_train(wanted, comm).metrics;
  const std::uint64_t end = digest(parameters("stopping"));
  EXPECT_EQ(tasks::run_train(wanted, comm).metrics, whole);  // from the last but one epoch's
  EXPECT_EQ(digest(parameters("stopping")), end);
}

TEST_F(EarlyStopping, NeedsRowsToLookAt) {
  const auto rows = fold_four("iris", "species");
  EXPECT_THAT(message_of<tasks::TaskError>([&] { train(rows, config(3, 1)); }),
              ::testing::HasSubstr("no validation rows"));
}

class StartFrom : public Networks {
 protected:
  tasks::Result train_from(const std::filesystem::path& data, const Json& config, const std::string& stage,
                           const std::string& from) {
    return tasks::run_train(spec("train", config, {{"data", data}, {"start_from", model_file(from)}}, stage),
                            comm);
  }
  std::string refusal(const std::filesystem::path& data, const Json& config, const std::string& from) {
    return message_of<tasks::TaskError>([&] { train_from(data, config, "refused", from); });
  }
};

TEST_F(StartFrom, AMinimumNothingIsLeftToDo) {
  const auto data = fold_four("iris", "species");
  const Json config = train_config(softmax_model(), lbfgs());
  const Json first = train(data, config).metrics;
  const Json second = train_from(data, config, "again", "fit").metrics;
  EXPECT_LE(second.at("objective").get<double>(), first.at("objective").get<double>());
  EXPECT_LT(second.at("iterations"), 8);
}

TEST_F(StartFrom, ANetworkTrainsOnFromItsWeights) {
  const auto data = fold_four("digits", "digit");
  Json descent = sgd(0.05, 1, 50);
  descent["momentum"] = 0.0;
  const Json first = train(data, train_config(mlp_model({16}), descent)).metrics;
  const Json on = train_from(data, train_config(mlp_model({16}), descent), "on", "fit").metrics;
  EXPECT_LT(on.at("train_loss"), first.at("train_loss"));
  descent["learning_rate"] = 1e-300;
  (void)train_from(data, train_config(mlp_model({16}), descent), "still", "fit");
  EXPECT_EQ(digest(parameters("still")), digest(parameters()));
}

TEST_F(StartFrom, RefusesWhatIsNotAlike) {
  const auto iris = fold_four("iris", "species"), digits = fold_four("digits", "digit");
  train(iris, train_config(mlp_model({8}), adam(1e-2, 1, 50)));
  EXPECT_THAT(refusal(iris, train_config(softmax_model(), lbfgs()), "fit"),
              ::testing::HasSubstr("is a mlp, and this one is a softmax"));
  EXPECT_THAT(refusal(digits, train_config(mlp_model({8}), adam(1e-2, 1, 50)), "fit"),
              ::testing::HasSubstr("knows other features: 4 of them, and here are 64"));
  EXPECT_THAT(refusal(iris, train_config(mlp_model({9}), adam(1e-2, 1, 50)), "fit"),
              ::testing::HasSubstr("has other layers"));
  EXPECT_THAT(refusal(iris, train_config(mlp_model({8}, "tanh"), adam(1e-2, 1, 50)), "fit"),
              ::testing::HasSubstr("another activation"));
}

TEST_F(Networks, MiniBatchesReachTheConvexMinimumRoughly) {
  const auto result = train(fold_four("iris", "species"), train_config(softmax_model(), sgd(0.05, 200, 32)));
  EXPECT_NEAR(result.metrics.at("objective").get<double>(), 27.33364022, 0.3);
}

TEST_F(Networks, ATrialThatDivergesHasNoValue) {
  const Json descent = {{"type", "gradient_descent"}, {"learning_rate", 1e300}, {"steps", 5}};
  for (const Json& config :
       {train_config(mlp_model({8}), sgd(1e300, 2, 16)), train_config(softmax_model(), descent)})
    EXPECT_EQ(trial(whole("iris", "species"), config, "accuracy").metrics.dump(), R"({"diverged":true})");
}

TEST_F(Networks, TrainingSaysWhichClassesItHasNoRowsOf) {
  put(directory / "cyclic.csv", "x,y\n1,a\n2,b\n3,c\n4,a\n5,b\n6,c\n");
  const tasks::Spec prepare =
      spec("preprocess",
           kernmill::testing::preprocess_settings(
               {{"target", {{"column", "y"}, {"type", "auto"}}},
                {"split", {{"type", "every"}, {"every", 3}, {"offset", 1}, {"stratify", false}}}}),
           {{"input", directory / "cyclic.csv"}}, "prepare");
  tasks::run_preprocess(prepare, comm);
  ::testing::internal::CaptureStderr();
  const auto result = train(prepare.output_directory / "dataset.h5", train_config(softmax_model(), lbfgs()));
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(result.metrics.at("untrained_classes"), 1);
  if (comm.is_root()) {
    EXPECT_THAT(said, ::testing::HasSubstr("no training row has the class 'b': the model will not know it"));
  }
}

TEST_F(Networks, AMultilayerPerceptronKnowsMostDigits) {
  const auto result =
      trial(whole("digits", "digit"), train_config(mlp_model({100}), adam(2e-3, 15, 64)), "accuracy");
  EXPECT_EQ(result.metrics.at("rows"), 1797);
  EXPECT_GT(result.metrics.at("value").get<double>(), 0.97);
  EXPECT_EQ(result.metrics.at("value"), result.metrics.at("accuracy"));
}

// scikit-learn's pooled accuracy with a scaler of each fold's own is .9533: 143 of 150. Here one scaler is
// fitted to all.
TEST_F(Networks, ATrialOfSoftmaxOnIrisPoolsItsFolds) {
  const auto result = trial(whole("iris", "species"), train_config(softmax_model(), lbfgs()), "accuracy");
  EXPECT_EQ(result.metrics.at("rows"), 150);
  EXPECT_NEAR(result.metrics.at("correct").get<double>(), 143, 1);
}

TEST_F(Networks, ADivergingRunNamesItsStepAndAdvises) {
  const auto data = dataset("linear_regression", {{"target", {{"column", "y"}, {"type", "number"}}}});
  const Json model = {
      {"type", "linear_regression"}, {"l2", 0.0}, {"regularize_bias", false}, {"init", nullptr}};
  const Json optimizer = {{"type", "gradient_descent"}, {"learning_rate", 100.0}, {"steps", 1000}};
  const std::string message =
      message_of<tasks::TaskError>([&] { train(data, train_config(model, optimizer)); });
  EXPECT_THAT(message, ::testing::HasSubstr("the loss has grown to"));
  EXPECT_THAT(message, ::testing::HasSubstr("by step 12,"));
}

TEST_F(Networks, AClassifierOfNumbersIsRefused) {
  const auto data = dataset("linear_regression", {{"target", {{"column", "y"}, {"type", "number"}}}});
  EXPECT_THAT(message_of<tasks::TaskError>([&] { train(data, train_config(softmax_model(), lbfgs())); }),
              ::testing::HasSubstr("softmax predicts classes"));
}

}  // namespace
}  // namespace kernmill::testing
