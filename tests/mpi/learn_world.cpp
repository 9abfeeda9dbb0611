#include "learn_world.hpp"

#include <bit>

#include <unistd.h>

#include "preprocess_settings.hpp"

namespace kernmill::testing {
namespace {

using tasks::Json;

/// Kokkos lives as long as the tests do.
class KokkosEnvironment : public ::testing::Environment {
 public:
  void SetUp() override {
    int count = 0;
    guard_ = std::make_unique<Kokkos::ScopeGuard>(count, nullptr);
  }
  void TearDown() override { guard_.reset(); }

 private:
  std::unique_ptr<Kokkos::ScopeGuard> guard_;
};

[[maybe_unused]] const auto* const environment = ::testing::AddGlobalTestEnvironment(new KokkosEnvironment);

}  // namespace

Json lbfgs(std::uint64_t max_iterations) {
  return {{"type", "lbfgs"},
          {"max_iterations", max_iterations},
          {"tolerance", 1e-10},
          {"objective_tolerance", 1e-8},
          {"history", 10}};
}

Json adam(double learning_rate, int epochs, int batch_size) {
  return {{"type", "adam"},
          {"learning_rate", learning_rate},
          {"beta1", 0.9},
          {"beta2", 0.999},
          {"epsilon", 1e-8},
          {"epochs", epochs},
          {"batch_size", batch_size}};
}

Json sgd(double learning_rate, int epochs, int batch_size) {
  return {{"type", "sgd"},
          {"learning_rate", learning_rate},
          {"momentum", 0.9},
          {"epochs", epochs},
          {"batch_size", batch_size}};
}

Json train_config(Json model, Json optimizer) {
  return {{"model", std::move(model)},
          {"optimizer", std::move(optimizer)},
          {"seed", 0},
          {"checkpoint", {{"every", 10}, {"keep", 2}}}};
}

Json softmax_model() {
  return {{"type", "softmax"}, {"l2", 1.0}, {"regularize_bias", false}};
}

Json svm_model() {
  return {{"type", "linear_svm"}, {"C", 1.0}, {"loss", "squared_hinge"}, {"regularize_bias", true}};
}

Json mlp_model(std::vector<int> hidden, const std::string& activation) {
  return {{"type", "mlp"}, {"hidden", std::move(hidden)}, {"activation", activation}, {"l2", 1e-4}};
}

void LearnWorld::SetUp() {
  SharedDirectory::SetUp();
}

tasks::Spec LearnWorld::spec(const std::string& kind, Json config,
                             std::map<std::string, std::filesystem::path, std::less<>> inputs,
                             const std::string& stage) {
  tasks::Spec made;
  made.kind = kind;
  made.stage = stage.empty() ? kind : stage;
  made.config = std::move(config);
  made.inputs = std::move(inputs);
  made.output_directory = directory / made.stage;
  std::filesystem::create_directories(made.output_directory);
  MPI_Barrier(comm.handle());
  return made;
}

std::filesystem::path LearnWorld::dataset(const std::string& name, Json config) {
  const Json all = kernmill::testing::preprocess_settings(config);
  const tasks::Spec made =
      spec("preprocess", all, {{"input", std::filesystem::path(KERNMILL_DATA) / (name + ".csv")}},
           "prepare-" + name);
  tasks::run_preprocess(made, comm);
  return made.output_directory / "dataset.h5";
}

std::filesystem::path LearnWorld::fold_four(const std::string& name, const std::string& target) {
  return dataset(name, {{"target", {{"column", target}, {"type", "auto"}}},
                        {"split", {{"type", "every"}, {"every", 5}, {"offset", 4}}},
                        {"scale", "standard"}});
}

tasks::Result LearnWorld::train(const std::filesystem::path& data, const Json& config,
                                const std::string& stage) {
  return tasks::run_train(spec("train", config, {{"data", data}}, stage), comm);
}

tasks::Result LearnWorld::train_twice(const std::filesystem::path& data, const tasks::Json& config) {
  const tasks::Result result = train(data, config);
  const tasks::Spec alone_spec = spec("train", config, {{"data", data}}, "alone");
  on_first_rank([&](const tasks::Communicator& alone) {
    EXPECT_EQ(tasks::run_train(alone_spec, alone).metrics.dump(), result.metrics.dump());
  });
  EXPECT_EQ(digest(parameters("alone")), digest(parameters()));
  return result;
}

std::vector<double> LearnWorld::parameters(const std::string& stage) {
  std::vector<double> all;
  for (const auto& tensor : storage::read_model(comm.handle(), model_file(stage)).parameters) {
    const auto values = tensor.data.as<double>();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

std::uint64_t digest(const std::vector<double>& values) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const double value : values) hash = (hash ^ std::bit_cast<std::uint64_t>(value)) * 1099511628211ULL;
  return hash;
}

}  // namespace kernmill::testing
