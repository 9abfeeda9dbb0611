#include <array>
#include <cmath>
#include <cstddef>
#include <new>
#include <sstream>

#include <gmock/gmock.h>

#include "kernmill/storage/checkpoint/checkpoint.hpp"
#include "kernmill/storage/history/history.hpp"
#include "kernmill/tasks/kinds/own_files.hpp"
#include "kernmill/tasks/learn/monitor/monitor.hpp"
#include "kernmill/tasks/learn/train/fit.hpp"
#include "learn_world.hpp"
#include "preprocess_settings.hpp"

namespace kernmill::testing {
namespace {

using tasks::Json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

/// Trainings in attempts of one instance, as kernmill-exec starts them.
class Monitored : public LearnWorld {
 protected:
  /// What attempt `number` is given.
  tasks::Spec attempt(int number, const std::filesystem::path& data, const Json& config) {
    tasks::Spec made = spec("train", config, {{"data", data}}, "fit/attempt-" + std::to_string(number));
    made.attempt = number;
    made.checkpoint_directory = directory / "fit" / "checkpoints";
    return made;
  }
  std::vector<Json> lines(int number) {
    const std::string text =
        content(directory / "fit" / ("attempt-" + std::to_string(number)) / "metrics.jsonl");
    EXPECT_TRUE(text.ends_with('\n'));
    std::istringstream in(text);
    std::vector<Json> all;
    for (std::string line; std::getline(in, line);) all.push_back(Json::parse(line));
    return all;
  }
  std::string failure(const tasks::Spec& made) {
    std::string text;
    try {
      tasks::run_train(made, comm);
    } catch (const tasks::TaskError& error) {
      text = std::string(error.what()) + "\n" + error.help;
    }
    MPI_Barrier(comm.handle());  // each rank finds out by itself, and rank 0 has its last line to write
    return text;
  }
  static Json small_mlp(const Json& optimizer) { return train_config(mlp_model({8}), optimizer); }
};

/// Whatever lay in its memory before.
TEST_F(Monitored, TimeBeginsAtZero) {
  alignas(tasks::Monitor) std::array<std::byte, sizeof(tasks::Monitor)> memory;
  memory.fill(std::byte{0x7f});
  double now = 5;
  auto* const monitor = new (memory.data()) tasks::Monitor(comm, {}, [&] { return now; });
  monitor->begin(0);
  now = 8;
  tasks::Progress progress;
  progress.step = 1;
  monitor->tell(progress);
  monitor->write_line();
  const tasks::Training training = monitor->training();
  for (const tasks::Shares& rank : training.ranks) EXPECT_NEAR(rank.all(), 3, 1e-6);
  EXPECT_EQ(training.ranks.size(), comm.is_root() ? static_cast<std::size_t>(comm.size()) : 0);
  monitor->~Monitor();
}

TEST_F(Monitored, ATrainingTellsOfItsFirstAndItsLastEpochAndOfItsEnd) {
  const tasks::Spec made = attempt(1, fold_four("iris", "species"), small_mlp(adam(1e-2, 4, 16)));
  const tasks::Result result = tasks::run_train(made, comm);
  const auto told = lines(1);
  ASSERT_GE(told.size(), 4U);
  EXPECT_EQ(told.front()["begin"]["from_step"], 0);
  EXPECT_EQ(told.front()["begin"]["ranks"], comm.size());
  EXPECT_EQ(told[1]["epoch"], 1);
  EXPECT_EQ(told[1]["epochs"], 4);
  EXPECT_TRUE(told[1].contains("gradient_norm"));
  const Json& last = told[told.size() - 2];
  EXPECT_EQ(last["step"], result.metrics["iterations"]);
  EXPECT_EQ(last["steps"], last["step"]);
  EXPECT_LT(last["loss"], told[1]["loss"]);
  EXPECT_EQ(told.back()["end"]["how"], "done");
  if (comm.is_root()) {
    EXPECT_THAT(result.summary.at(0).get<std::string>(), HasSubstr("training took"));
  }
}

TEST_F(Monitored, ThePartsOfTheTimeAddUpToIt) {
  tasks::run_train(attempt(1, fold_four("digits", "digit"), small_mlp(lbfgs(20))), comm);
  for (const Json& line : lines(1)) {
    if (!line.contains("step")) continue;
    double parts = 0;
    for (const char* name : {"compute", "communication", "input", "checkpoint"}) {
      const std::string seconds = std::string(name) + "_seconds";
      EXPECT_LE(line[seconds + "_min"], line[seconds]);
      EXPECT_LE(line[seconds], line[seconds + "_max"]);
      parts += line[seconds].get<double>();
    }
    const double all = line["seconds"];
    EXPECT_NEAR(parts, all, 0.05 + 0.1 * all) << "ranks begin and end an interval together, but for a moment";
    EXPECT_GT(line["memory"], 1e6);
  }
}

TEST_F(Monitored, AFullBatchMethodTellsHowFarItsGradientHasToGo) {
  tasks::run_train(attempt(1, fold_four("iris", "species"), train_config(softmax_model(), lbfgs())), comm);
  const auto told = lines(1);
  EXPECT_EQ(told[1]["step"], 1);
  EXPECT_EQ(told[1]["most_steps"], 1000);
  EXPECT_LT(told[1]["goal_norm"], told[1]["gradient_norm"]);
  EXPECT_TRUE(told[1].contains("objective"));
  EXPECT_FALSE(told[1].contains("left"));
}

TEST_F(Monitored, TheHistoryIsATableBesideTheModel) {
  const tasks::Spec made = attempt(1, fold_four("iris", "species"), small_mlp(adam(1e-2, 4, 16)));
  const tasks::Result result = tasks::run_train(made, comm);
  EXPECT_EQ(result.artifacts["history"], "history.h5");
  const storage::History history = storage::read_history(made.output_directory / "history.h5");
  EXPECT_EQ(rows_of(history), lines(1).size() - 2);
  EXPECT_EQ(Json::parse(history.about)["attempts"][0]["model"], "mlp");
}

TEST_F(Monitored, AModelDoesNotDependOnWhoLooks) {
  const auto data = fold_four("iris", "species");
  const Json config = small_mlp(adam(1e-2, 3, 16));
  const tasks::Spec made = attempt(1, data, config);
  tasks::run_train(made, comm);
  const storage::DatasetReader reader = tasks::open_dataset(comm, made, "data");
  const tasks::Rows rows(reader, storage::Part::train), none(reader, storage::Part::validation);
  tasks::Session unwatched(comm, {}, false);
  const auto model = tasks::fit_model(config, {rows, none}, unwatched).model;
  const auto watched = storage::read_model(comm.handle(), made.output_directory / "model.h5");
  ASSERT_EQ(model.parameters.size(), watched.parameters.size());
  for (std::size_t i = 0; i < model.parameters.size(); ++i)
    EXPECT_TRUE(model.parameters[i].data == watched.parameters[i].data);
}

/// Trains well for two epochs, and then with a rate that no training survives.
Json doomed() {
  Json optimizer = sgd(0.01, 6, 64);
  optimizer["schedule"] = {{"type", "step"}, {"warmup", 0}, {"every", 2}, {"factor", 1e100}};
  Json config = train_config(mlp_model({8}), optimizer);
  config["checkpoint"] = {{"every", 1}, {"keep", 2}};
  return config;
}

TEST_F(Monitored, ADivergedTrainingGoesOnFromItsLastGoodCheckpointWithAnotherRate) {
  const auto data = fold_four("digits", "digit");
  EXPECT_THAT(
      failure(attempt(1, data, doomed())),
      AllOf(HasSubstr("in batch 48: all weights are finite, and layer 1 of 2 (64 -> 8) is the first with a "
                      "gradient that is not"),
            HasSubstr("lower optimizer.learning_rate"), HasSubstr("goes on from the last checkpoint")));
  EXPECT_EQ(lines(1).back()["end"]["how"], "diverged");
  const auto kept = storage::load_newest_checkpoint(comm.handle(), directory / "fit" / "checkpoints");
  ASSERT_TRUE(kept.found);
  EXPECT_EQ(kept.checkpoint.step, 2 * 23);
  for (const auto& tensor : kept.checkpoint.tensors)
    for (const double value : tensor.data.as<double>()) ASSERT_TRUE(std::isfinite(value)) << tensor.name;

  Json gentler = doomed();
  gentler["optimizer"].erase("schedule");
  const tasks::Spec second = attempt(2, data, gentler);
  tasks::run_train(second, comm);
  EXPECT_EQ(lines(2).front()["begin"]["from_step"], 2 * 23);
  const storage::History history = storage::read_history(second.output_directory / "history.h5");
  EXPECT_THAT(history.columns[0].values, Contains(23)) << "of the first attempt";
  EXPECT_EQ(history.columns[0].values.back(), 6 * 23);
}

TEST_F(Monitored, ALossThatGrowsBeyondAllBoundsEndsTheTrainingAndIsInNoCheckpoint) {
  Json config = train_config({{"type", "linear_regression"}, {"l2", 0.0}, {"regularize_bias", false}},
                             sgd(2.0, 400, 150));
  config["optimizer"]["momentum"] = 0.0;
  config["checkpoint"] = {{"every", 1}, {"keep", 2}};
  const auto data = dataset("iris", {{"target", {{"column", "petal_width"}, {"type", "number"}}},
                                     {"drop", {"species"}},
                                     {"scale", "standard"}});
  EXPECT_THAT(failure(attempt(1, data, config)), HasSubstr("the loss has grown to"));
  const auto kept = storage::load_newest_checkpoint(comm.handle(), directory / "fit" / "checkpoints");
  ASSERT_EQ(kept.checkpoint.tensors.front().name, "parameters");
  for (const double value : kept.checkpoint.tensors.front().data.as<double>())
    EXPECT_LT(std::abs(value), 1e3);
}

TEST_F(Monitored, ATrainingWithOtherSettingsDoesNotGoOnFromADivergedOne) {
  const auto data = fold_four("digits", "digit");
  failure(attempt(1, data, doomed()));
  Json other = doomed();
  other["optimizer"].erase("schedule");
  other["seed"] = 4;
  tasks::run_train(attempt(2, data, other), comm);
  EXPECT_EQ(lines(2).front()["begin"]["from_step"], 0);
}

TEST_F(Monitored, AModelThatDoesNotFitIsRefusedBeforeAnythingIsMade) {
  const Json config = train_config(mlp_model({1'000'000, 1'000'000}), adam(1e-3, 1, 64));
  EXPECT_THAT(failure(attempt(1, fold_four("iris", "species"), config)),
              AllOf(HasSubstr("this training needs about"), HasSubstr("TiB of memory on each rank"),
                    HasSubstr("smaller hidden layers")));
}

TEST_F(Monitored, FewerRowsThanRanksGiveTheSameModel) {
  put(directory / "few.csv", "x,y,class\n0,1,a\n1,0,b\n");
  const tasks::Spec prepare =
      spec("preprocess", preprocess_settings({{"target", {{"column", "class"}, {"type", "class"}}}}),
           {{"input", directory / "few.csv"}});
  tasks::run_preprocess(prepare, comm);
  for (const Json& optimizer : {lbfgs(), adam(1e-2, 3, 2)}) {
    const Json config = train_config(softmax_model(), optimizer);
    const auto data = prepare.output_directory / "dataset.h5";
    train(data, config);
    const tasks::Spec alone_spec = spec("train", config, {{"data", data}}, "alone");
    on_first_rank([&](const tasks::Communicator& alone) { tasks::run_train(alone_spec, alone); });
    EXPECT_EQ(digest(parameters("alone")), digest(parameters()));
  }
}

}  // namespace
}  // namespace kernmill::testing
