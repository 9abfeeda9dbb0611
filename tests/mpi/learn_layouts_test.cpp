#include <array>

#include <gmock/gmock.h>

#include "learn_world.hpp"

namespace kernmill::testing {
namespace {

using tasks::Json;

/// Layouts of layers, of data alone, and of one rank: one model, bit for bit.
class Layouts : public LearnWorld {
 protected:
  [[nodiscard]] Json config(const Json& parallel, const char* precision) const {
    Json all = train_config(model_, optimizer_);
    all["parallel"] = parallel;
    all["precision"] = precision;
    return all;
  }
  static Json layout(int data, int tensor, int pipeline, int slices) {
    return {{"data", data}, {"tensor", tensor}, {"pipeline", pipeline}, {"slices", slices}};
  }
  /// On the first ranks, as many as the layout has.
  std::uint64_t trained(const Json& parallel, const Json& config, const std::string& stage) {
    const int ranks = parallel.at("data").get<int>() * parallel.at("tensor").get<int>() *
                      parallel.at("pipeline").get<int>();
    const tasks::Communicator some = comm.split(comm.rank() < ranks ? 0 : 1, comm.rank());
    const tasks::Spec wanted = spec("train", config, {{"data", data_}}, stage);
    comm.agree([&] {
      if (comm.rank() < ranks) metrics_ = tasks::run_train(wanted, some).metrics;
    });
    return digest(parameters(stage));
  }
  /// Those that have as many ranks as there are; others have a run of their own.
  void expect_one_model(int slices, const char* precision, const Json& more = Json::object()) {
    if (data_.empty()) data_ = fold_four("iris", "species");
    const auto config = [&](const Json& parallel, const char* in) {
      Json all = Layouts::config(parallel, in);
      all.merge_patch(more);
      return all;
    };
    const Json alone = layout(1, 1, 1, slices);
    const std::uint64_t expected = trained(alone, config(alone, precision), "alone");
    if (slices == 1) {
      Json plain = config(alone, precision);
      plain.erase("parallel");
      EXPECT_EQ(trained(alone, plain, "plain"), expected);
    }
    const Json metrics = metrics_;
    for (const auto& [data, tensor, pipeline] : {std::array{2, 1, 1},
                                                 {1, 2, 1},
                                                 {1, 1, 2},
                                                 {3, 1, 1},
                                                 {1, 1, 3},
                                                 {1, 1, 4},
                                                 {2, 2, 1},
                                                 {2, 1, 2},
                                                 {1, 2, 2},
                                                 {1, 4, 1},
                                                 {2, 2, 2}}) {
      if (data * tensor * pipeline != comm.size() || slices % tensor != 0) continue;
      const Json one = layout(data, tensor, pipeline, slices);
      EXPECT_EQ(trained(one, config(one, precision), "laid_out"), expected) << one;
      if (comm.rank() == 0) {
        EXPECT_EQ(metrics_.dump(), metrics.dump()) << one;
      }
    }
  }
  std::string complaint(const Json& config) {
    if (data_.empty()) data_ = fold_four("iris", "species");
    try {
      (void)train(data_, config);
    } catch (const std::exception& e) {
      return e.what();
    }
    return "";
  }
  /// Windows of a series, and a network of three recurrent layers.
  void use_recurrent(const char* type, int hidden) {
    if (data_.empty())
      data_ = dataset(
          "eustockmarkets",
          {{"split", {{"type", "chronological"}, {"train", 0.3}, {"validation", 0.3}, {"test", 0.4}}},
           {"series",
            {{"transform", "log_return"}, {"window", 4}, {"horizon", 1}, {"columns", Json::array()}}}});
    model_ = {{"type", type}, {"hidden", hidden}, {"layers", 3}, {"dropout", 0.2}, {"l2", 0.01}};
    optimizer_ = adam(5e-3, 1, 256);
  }
  /// A training of one layout goes on where one of another one was: bit for bit.
  void expect_to_go_on_from_each_others_checkpoints();

  Json model_ = mlp_model({16, 8, 16}, "tanh"), optimizer_ = adam(1e-2, 2, 64);
  std::filesystem::path data_;
  Json metrics_;
};

void Layouts::expect_to_go_on_from_each_others_checkpoints() {
  if (comm.size() < 2) return;
  if (data_.empty()) data_ = fold_four("iris", "species");
  const auto run = [&](const Json& parallel, const std::string& stage, const char* where) {
    Json all = config(parallel, "float32");
    all["checkpoint"]["every"] = 1;
    tasks::Spec wanted = spec("train", all, {{"data", data_}}, stage);
    wanted.checkpoint_directory = directory / where;
    const int ranks = parallel.contains("layout")
                          ? comm.size()
                          : parallel.at("tensor").get<int>() * parallel.at("pipeline").get<int>();
    const tasks::Communicator some = comm.split(comm.rank() < ranks ? 0 : 1, comm.rank());
    comm.agree([&] {
      if (comm.rank() < ranks) (void)tasks::run_train(wanted, some);
    });
    return digest(parameters(stage));
  };
  const std::uint64_t expected = run(layout(1, 2, 1, 2), "tensor", "checkpoints");
  // The last epoch again, from the checkpoint before it.
  for (const Json& other : {layout(1, 1, 2, 2), layout(1, 1, 1, 2), layout(1, 2, 1, 2),
                            Json{{"layout", "auto"}, {"slices", 2}}}) {
    ::testing::internal::CaptureStdout();
    EXPECT_EQ(run(other, "other", "checkpoints"), expected);
    const std::string said = ::testing::internal::GetCapturedStdout();
    if (comm.rank() == 0) {
      EXPECT_THAT(said, ::testing::HasSubstr("continuing from step "));
    }
  }
}

TEST_F(Layouts, OfWholeLayersGiveTheModelOfNone) {
  data_ = fold_four("iris", "species");
  Json plain = config({}, "float64");
  plain.erase("parallel");
  const std::uint64_t expected = trained(layout(1, 1, 1, 1), plain, "plain");
  if (comm.size() < 2) return;
  const Json stages = layout(1, 1, 2, 1);
  EXPECT_EQ(trained(stages, config(stages, "float64"), "laid_out"), expected);
}

TEST_F(Layouts, GiveOneModelInDouble) {
  expect_one_model(2, "float64");
}
TEST_F(Layouts, GiveOneModelInSingle) {
  expect_one_model(2, "float32");
}
// Slices of a layer are rounded as the whole of it is: the model is a little off that in float32.
TEST_F(Layouts, GiveOneModelInMixedPrecision) {
  if (comm.size() == 4) return;  // learn_table_test.cpp has that
  expect_one_model(1, "mixed");
  const Json alone = layout(1, 1, 1, 2);
  const std::uint64_t single = trained(alone, config(alone, "float32"), "single");
  const double loss = metrics_.value("train_loss", 0.0);
  expect_one_model(2, "mixed");
  EXPECT_NE(digest(parameters("alone")), single);
  if (comm.is_root()) expect_relative(metrics_.at("train_loss"), loss, 5e-3);
}
TEST_F(Layouts, OfFourSlicesGiveOneModel) {
  expect_one_model(4, "float64");
}
TEST_F(Layouts, OfWholeLayersGiveOneModel) {
  expect_one_model(1, "float32");
}

// Slices of 6 and 3 units, which are no multiples of the four that share a draw.
TEST_F(Layouts, DropTheSameUnitsAndBendTheSameNumbers) {
  const Json more = {{"model", {{"activation", "gelu"}, {"dropout", 0.3}, {"hidden", {12, 8, 12}}}}};
  if (comm.size() == 4) return expect_one_model(4, "float64", more);
  expect_one_model(1, "float32", more);
  expect_one_model(2, "float64", more);
}

// The norm of the whole gradient, and the moments of whole rows, of whoever has parts of them.
TEST_F(Layouts, ClipAndNormaliseTheSame) {
  const Json more = {{"model", {{"layer_norm", true}, {"activation", "relu"}}},
                     {"optimizer", {{"clip_norm", 0.05}}}};
  if (comm.size() == 4) return expect_one_model(4, "float64", more);
  expect_one_model(1, "float32", more);
  expect_one_model(2, "float64", more);
}

TEST_F(Layouts, OfRecurrentLayersGiveOneModel) {
  for (const char* type : {"lstm", "gru"}) {
    use_recurrent(type, 8);
    if (comm.size() == 4) return expect_one_model(4, "float32");
    expect_one_model(1, "float32");
    expect_one_model(2, "float64");
    expect_one_model(2, "mixed", {{"optimizer", {{"clip_norm", 0.05}}}});
  }
}

// The sums over a layer's slices are those of the whole layer, but for their rounding.
TEST_F(Layouts, OfRecurrentSlicesFollowTheWholeLayers) {
  if (comm.size() > 1) return;
  for (const char* type : {"lstm", "gru"}) {
    use_recurrent(type, 8);
    optimizer_ = sgd(0.5, 2, 64);
    std::vector<double> whole;
    for (const int slices : {1, 2, 8}) {
      const Json alone = layout(1, 1, 1, slices);
      (void)trained(alone, config(alone, "float64"), "alone");
      const std::vector<double> found = parameters("alone");
      if (slices == 1) {
        whole = found;
      } else {
        EXPECT_NE(digest(found), digest(whole)) << "of " << slices << " slices";
      }
      ASSERT_EQ(found.size(), whole.size());
      for (std::size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], whole[i], 1e-13) << i;
    }
  }
}

/// Whatever is chosen; where layers have to be shared, and where they cannot be.
TEST_F(Layouts, ThatAreChosenGiveTheModelOfTheirSlices) {
  data_ = fold_four("iris", "species");
  const auto chosen = [&](const Json& all, const char* said) {
    ::testing::internal::CaptureStdout();
    (void)train(data_, all, "chosen");
    const std::string told = ::testing::internal::GetCapturedStdout();
    if (comm.rank() == 0) {
      EXPECT_THAT(told, ::testing::HasSubstr(said));
    }
    return digest(parameters("chosen"));
  };
  const Json whole = layout(1, 1, 1, 1), halves = layout(1, 1, 1, 2);
  EXPECT_EQ(chosen(config({{"layout", "auto"}}, "float32"), comm.size() == 1 ? "only one" : "is predicted"),
            trained(whole, config(whole, "float32"), "alone"));
  if (comm.size() != 3) {
    EXPECT_EQ(chosen(config({{"layout", "auto"}, {"data", 1}, {"slices", 2}}, "float64"), "layout: data 1"),
              trained(halves, config(halves, "float64"), "alone"));
  }
}

TEST_F(Layouts, OfRecurrentLayersAreNotChosen) {
  use_recurrent("lstm", 4);
  ::testing::internal::CaptureStdout();
  (void)train(data_, config({{"layout", "auto"}, {"slices", 2}}, "float32"));
  const std::string told = ::testing::internal::GetCapturedStdout();
  if (comm.is_root()) {
    EXPECT_THAT(told, ::testing::HasSubstr("as steps of recurrent layers"));
  }
}

TEST_F(Layouts, GoOnFromEachOthersCheckpoints) {
  expect_to_go_on_from_each_others_checkpoints();
}

TEST_F(Layouts, OfRecurrentLayersGoOnFromEachOthersCheckpoints) {
  if (comm.size() > 2) return;
  use_recurrent("lstm", 4);
  optimizer_ = adam(5e-3, 2, 256);
  expect_to_go_on_from_each_others_checkpoints();
}

TEST_F(Layouts, ThatDoNotFitAreErrors) {
  using ::testing::HasSubstr;
  Json all = config(layout(7, 1, 1, 1), "float64");
  EXPECT_THAT(complaint(all), HasSubstr("7 ranks"));
  if (comm.size() != 2) return;
  all["parallel"] = {{"layout", "auto"}, {"data", 3}};
  EXPECT_THAT(complaint(all), HasSubstr("no layout of 2 ranks has what 'parallel' says"));
  all["parallel"] = {{"layout", "auto"}, {"slices", 3}};
  EXPECT_THAT(complaint(all), HasSubstr("3 slices"));
  all = config(layout(1, 2, 1, 2), "float64");
  all["model"]["hidden"] = {15};
  EXPECT_THAT(complaint(all), HasSubstr("a layer of 15 units cannot be cut into 2 slices"));
  all = config(layout(1, 2, 1, 3), "float64");
  EXPECT_THAT(complaint(all), HasSubstr("layers cannot be cut into 3 slices"));
  all = config(layout(1, 2, 1, 1), "float64");
  EXPECT_THAT(complaint(all), HasSubstr("1 slice cannot be shared by 2 tensor ranks"));
  all = config(layout(1, 1, 2, 1), "float64");
  all["model"] = softmax_model();
  EXPECT_THAT(complaint(all), HasSubstr("of layers it has 1"));
  all["parallel"] = {{"tensor", 2}, {"slices", 8}};
  EXPECT_THAT(complaint(all), HasSubstr("4 features cannot be cut into 8 slices"));
}

TEST_F(Layouts, OfRecurrentLayersThatDoNotFitAreErrors) {
  using ::testing::HasSubstr;
  if (comm.size() != 2) return;
  use_recurrent("gru", 6);
  EXPECT_THAT(complaint(config(layout(1, 2, 1, 4), "float64")),
              HasSubstr("a layer of 6 units cannot be cut into 4 slices"));
  EXPECT_THAT(complaint(config({{"pipeline", 3}}, "float64")), HasSubstr("make 3 ranks, and there are 2"));
}

}  // namespace
}  // namespace kernmill::testing
