#pragma once
#include <cmath>
#include <string>

#include <Kokkos_Core.hpp>

#include "kernmill/storage/model/model.hpp"
#include "kernmill/tasks/kinds/task.hpp"
#include "shared_directory.hpp"

namespace kernmill::testing {

/// What the workflow language fills in for a train stage, by model and optimizer.
tasks::Json lbfgs(std::uint64_t max_iterations = 1000);
tasks::Json adam(double learning_rate, int epochs, int batch_size);
tasks::Json sgd(double learning_rate, int epochs, int batch_size);
tasks::Json train_config(tasks::Json model, tasks::Json optimizer);
tasks::Json softmax_model();
tasks::Json svm_model();
tasks::Json mlp_model(std::vector<int> hidden, const std::string& activation = "relu");

/// Runs tasks on the example data as kernmill-exec would, but in this process.
class LearnWorld : public SharedDirectory {
 protected:
  void SetUp() override;
  /// Prepares workflows/data/<name>.csv; returns the dataset file.
  std::filesystem::path dataset(const std::string& name, tasks::Json config);
  /// iris or digits with every 5th row, from the 4th on, as test rows, standardised.
  std::filesystem::path fold_four(const std::string& name, const std::string& target);
  tasks::Spec spec(const std::string& kind, tasks::Json config,
                   std::map<std::string, std::filesystem::path, std::less<>> inputs,
                   const std::string& stage = "");
  tasks::Result train(const std::filesystem::path& data, const tasks::Json& config,
                      const std::string& stage = "fit");
  /// The same, and again on one rank: neither the model nor its metrics may differ in a bit.
  tasks::Result train_twice(const std::filesystem::path& data, const tasks::Json& config);
  /// The parameters of a trained model, one after the other.
  std::vector<double> parameters(const std::string& stage = "fit");
  [[nodiscard]] std::filesystem::path model_file(const std::string& stage = "fit") const {
    return directory / stage / "model.h5";
  }
  tasks::Communicator comm{MPI_COMM_WORLD};
};

inline void expect_relative(double value, double expected, double tolerance) {
  EXPECT_NEAR(value, expected, tolerance * std::abs(expected));
}

/// A checksum of the bits, to compare runs on different numbers of ranks.
std::uint64_t digest(const std::vector<double>& values);

/// The same work on rank 0 alone, so that one test sees two numbers of ranks.
template <class Work>
void on_first_rank(const Work& work) {
  const tasks::Communicator world(MPI_COMM_WORLD);
  const tasks::Communicator alone = world.split(world.rank(), 0);
  world.agree([&] {
    if (world.is_root()) work(alone);
  });
}

}  // namespace kernmill::testing
