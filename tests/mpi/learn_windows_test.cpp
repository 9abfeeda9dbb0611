#include <gmock/gmock.h>

#include "kernmill/tasks/learn/rows/device_part.hpp"
#include "kernmill/tasks/learn/rows/window_rows.hpp"
#include "kernmill/tasks/learn/train/mini_batch.hpp"
#include "kernmill/tasks/learn/train/settings.hpp"
#include "kernmill/tasks/models/network/make_network.hpp"
#include "kernmill/tasks/support/task_error.hpp"
#include "learn_world.hpp"

namespace kernmill::testing {
namespace {

using tasks::Reads;

class Windows : public LearnWorld {
 protected:
  /// Digits in blocks of 512 rows: windows of all of them. Epochs are not whole batches.
  std::vector<double> trained(const std::filesystem::path& data, Reads reads) {
    const storage::DatasetReader reader(comm.handle(), data);
    const tasks::Rows rows(reader, storage::Part::train);
    tasks::Json optimizer = sgd(0.05, 2, 100);
    optimizer["shuffle"] = "block";
    const auto settings = tasks::read_train_settings(train_config(mlp_model({8}), optimizer));
    tasks::Network network = tasks::make_network(*settings.model, rows.schema());
    const auto weight = static_cast<double>(rows.count());
    const auto criterion = settings.model->criterion(weight, 1);
    const auto start = settings.model->start(network, settings.seed);
    tasks::Session session(comm, {}, false);
    tasks::BatchTask<double> task{settings.optimizer, settings.seed, criterion, rows, network, weight};
    task.reads = reads;
    return tasks::train_in_batches(task, start, session).parameters;
  }
};

TEST_F(Windows, GiveTheBitsOfRowsThatAreReadOneByOne) {
  const auto data = fold_four("digits", "digit");
  EXPECT_EQ(digest(trained(data, Reads::large)), digest(trained(data, Reads::rows)));
}

// Windows of three blocks of seven rows, so that batches reach into several of them.
TEST_F(Windows, HoldTheRowsOfTheBatchesThatReachIntoThem) {
  const auto data = dataset(
      "iris", {{"target", {{"column", "species"}, {"type", "auto"}}}, {"sample_weight", "petal_width"}});
  const storage::DatasetReader reader(comm.handle(), data);
  const tasks::Rows rows = tasks::Rows(reader, storage::Part::train).with_weights();
  const tasks::Shuffle shuffle{7, 3};
  ASSERT_TRUE(tasks::WindowRows::can_read(rows, shuffle));
  tasks::WindowRows windows(comm, rows, tasks::Loss::cross_entropy);
  for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
    const tasks::RowOrder order(rows.count(), shuffle, 5, epoch);
    for (std::uint64_t begin = 0; begin < rows.count(); begin += 25) {
      const std::uint64_t end = std::min(begin + 25, rows.count());
      windows.hold(order, epoch, begin, end);
      std::vector<std::uint64_t> numbers;
      for (std::uint64_t at = begin; at < end; ++at) numbers.push_back(order(at));
      const tasks::Batch batch = windows.load(numbers);
      std::vector<double> features(numbers.size() * rows.features()), target(2 * numbers.size());
      rows.read(numbers, features, target);
      const auto found = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), batch.features);
      ASSERT_EQ(std::vector<double>(found.data(), found.data() + found.size()), features);
      const auto labels = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), batch.labels);
      const auto weights = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), batch.weights);
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        ASSERT_EQ(labels(i), static_cast<int>(target[2 * i]));
        ASSERT_EQ(weights(i), target[2 * i + 1]);
      }
    }
  }
}

// As a GPU has them: what a batch gathers there is what the file has, in the type that is computed in.
TEST_F(Windows, OfTheDeviceGiveTheRowsOfTheFile) {
  const auto data = dataset(
      "iris", {{"target", {{"column", "species"}, {"type", "auto"}}}, {"sample_weight", "petal_width"}});
  const storage::DatasetReader reader(comm.handle(), data);
  const tasks::Rows rows = tasks::Rows(reader, storage::Part::train).with_weights();
  tasks::DevicePart<float> part(rows, tasks::Loss::cross_entropy);
  for (const std::vector<std::uint64_t>& numbers :
       {std::vector<std::uint64_t>{7, 0, 119, 7}, std::vector<std::uint64_t>{3},
        std::vector<std::uint64_t>{5, 4, 3, 2, 1, 0}}) {
    const tasks::BatchOf<float> batch = part.load(numbers);
    std::vector<double> features(numbers.size() * rows.features()), target(2 * numbers.size());
    rows.read(numbers, features, target);
    const auto found = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), batch.features);
    EXPECT_EQ(std::vector<float>(found.data(), found.data() + found.size()),
              std::vector<float>(features.begin(), features.end()));
    const auto labels = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), batch.labels);
    const auto weights = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), batch.weights);
    ASSERT_EQ(labels.extent(0), numbers.size());
    ASSERT_EQ(weights.extent(0), numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      EXPECT_EQ(labels(i), static_cast<int>(target[2 * i]));
      EXPECT_EQ(weights(i), target[2 * i + 1]);
    }
  }
  EXPECT_EQ(part.load({}).rows(), 0U);
}

/// 210 rows of one class each, but one whose label is none of them.
std::filesystem::path write_with_bad_label(const tasks::Communicator& comm,
                                           const std::filesystem::path& directory) {
  storage::Schema schema;
  schema.features = {"x"};
  schema.target = "y";
  schema.target_kind = storage::TargetKind::classes;
  schema.target_names = {"y"};
  schema.classes = {"no", "yes"};
  const std::uint64_t rows = 210, own = comm.is_root() ? rows : 0;
  std::vector<double> target(own);
  if (own > 0) target[100] = 99;
  storage::DatasetWriter writer(comm.handle(), directory / "bad.h5", schema, {rows, 0, 0});
  writer.write(storage::Part::train, rows - own, std::vector<double>(own), target,
               std::vector<std::uint64_t>(own));
  writer.commit();
  return directory / "bad.h5";
}

TEST_F(Windows, ABadLabelInTheBlockOfOneRankLeavesNobodyWaiting) {
  storage::Access access;
  access.transport.choice = storage::TransportSettings::Choice::mpiio;
  const storage::DatasetReader reader(comm.handle(), write_with_bad_label(comm, directory), access);
  const tasks::Rows rows(reader, storage::Part::train);
  const tasks::Shuffle shuffle{7, 30};
  tasks::WindowRows windows(comm, rows, tasks::Loss::cross_entropy);
  for (std::uint64_t epoch = 0; epoch < 4; ++epoch) {  // it lies elsewhere in each
    const tasks::RowOrder order(rows.count(), shuffle, 5, epoch);
    EXPECT_THAT(message_of<tasks::TaskError>([&] { windows.hold(order, epoch, 0, rows.count()); }),
                ::testing::HasSubstr("a label 99 where it has 2 classes"));
  }
}

}  // namespace
}  // namespace kernmill::testing
