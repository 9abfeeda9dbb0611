// What checkpoints cost, beside what they cannot cost less than:
//
//   mpiexec -n 2 bench_checkpoint [DIRECTORY [MIB]]
//
// 1. A durable checkpoint of MIB (512) in row boxes, beside raw writes of as much by as many ranks, that are
//    synced and read back, too, in interleaved rounds. We promise 0.9 of the raw speed.
// 2. Training an MLP 784-1024-1024-10 with Adam, with one checkpoint on the way and without, in interleaved
//    rounds. What training stands still for the checkpoint, and the difference of the fastest rounds (which
//    has the thread's work in it, too), as shares of the 30 s between two checkpoints: we promise less than
//    2 %.

#include <Kokkos_Core.hpp>
#include <fmt/format.h>

#include "files.hpp"
#include "kernmill/tasks/comm/mpi_session.hpp"
#include "kernmill/tasks/learn/train/fit.hpp"
#include "rivals.hpp"
#include "shared_temporary_directory.hpp"

namespace kernmill::tasks {
namespace {

namespace fs = std::filesystem;

class Writing {
 public:
  Writing(const Communicator& comm, fs::path place, std::uint64_t mib)
      : comm_(comm), place_(std::move(place)), rows_(mib * 128) {
    const auto own = storage::even_share(rows_, comm.rank(), comm.size());
    box_ = {{own.begin, 0}, {own.count(), columns}};
    data_.resize(own.count() * columns);
    for (std::size_t i = 0; i < data_.size(); ++i) data_[i] = static_cast<double>(i) * 1e-3;
  }

  double checkpoint(const std::optional<storage::Key>& key,
                    const storage::TransportSettings& transport = {}) {
    const std::vector<storage::TensorBox> boxes{{"w", {rows_, columns}, box_, data_}};
    storage::CheckpointWriter writer(comm_.handle(), place_ / "checkpoints", {}, key, transport);
    const double seconds = seconds_of(comm_, [&] {
      writer.start(1, "{}", boxes);
      const auto outcome = writer.finish();
      if (!outcome->error.empty()) throw std::runtime_error(outcome->error);
    });
    remove_together(comm_, place_ / "checkpoints");
    return seconds;
  }

  double raw() {
    return write_raw(comm_, place_ / "raw", box_.offset[0] * columns * sizeof(double),
                     std::as_bytes(std::span<const double>(data_)));
  }

 private:
  static constexpr std::uint64_t columns = 1024;

  const Communicator& comm_;
  fs::path place_;
  std::uint64_t rows_;
  storage::Box box_;
  std::vector<double> data_;
};

const storage::TransportSettings mpiio{storage::TransportSettings::Choice::mpiio, {}};

void compare_writing(const Communicator& comm, const fs::path& place, std::uint64_t mib) {
  Writing writing(comm, place, mib);
  const storage::Key key(std::array<std::byte, storage::Key::size>{});
  Rivals rivals(comm);
  const auto raw = rivals.add("raw", [&] { return writing.raw(); });
  const auto plain = rivals.add(
      "checkpoint", [&] { return writing.checkpoint(std::nullopt); }, Rivals::Goal{raw, 0.9});
  rivals.add(
      "encrypted checkpoint", [&] { return writing.checkpoint(key); }, Rivals::Goal{plain, 0.7});
  rivals.add(
      "checkpoint, MPI-IO", [&] { return writing.checkpoint(std::nullopt, mpiio); },
      Rivals::Goal{plain, 0.8});
  rivals.race(7);
  rivals.print(fmt::format("Durable write of {} MiB", mib));
}

constexpr std::uint64_t batch = 128, steps = 12;

/// One epoch of `steps` batches; with a directory, a checkpoint after half of them.
double train(const Communicator& comm, const Rows& rows, const fs::path& checkpoints,
             const storage::TransportSettings& transport = {}) {
  const Json config = {
      {"model", {{"type", "mlp"}, {"hidden", {1024, 1024}}, {"activation", "relu"}, {"l2", 0.0}}},
      {"optimizer",
       {{"type", "adam"},
        {"learning_rate", 1e-3},
        {"beta1", 0.9},
        {"beta2", 0.999},
        {"epsilon", 1e-8},
        {"epochs", 1},
        {"batch_size", batch}}},
      {"seed", 1}};
  CheckpointPolicy policy;
  policy.directory = checkpoints;
  policy.interval.steps = steps / 2;
  policy.transport = transport;
  Session session(comm, policy, false);
  const double seconds = seconds_of(comm, [&] {
    fit_model(config, {rows, rows}, session);
    session.finish();
  });
  if (!checkpoints.empty()) remove_together(comm, checkpoints);
  return seconds;
}

/// How long `start` takes of the second checkpoint of that network: weights, and Adam's two moments.
double stall(const Communicator& comm, const fs::path& place,
             const storage::TransportSettings& transport = {}) {
  constexpr std::uint64_t parameters = 784 * 1024 + 1024 + 1024 * 1024 + 1024 + 1024 * 10 + 10;
  const std::vector<double> values(parameters, 0.5);
  storage::CheckpointWriter writer(comm.handle(), place / "checkpoints", {}, {}, transport);
  double seconds = 0;
  for (std::uint64_t step = 1; step <= 2; ++step) {
    seconds = seconds_of(comm, [&] {
      std::vector<storage::Tensor> tensors;
      for (const char* name : {"parameters", "first", "second"})
        tensors.push_back({name, {parameters}, values});
      writer.start(step, "{}", storage::boxes_of(tensors));
    });
    (void)writer.finish();
  }
  remove_together(comm, place / "checkpoints");
  return seconds;
}

void compare_training(const Communicator& comm, const fs::path& place) {
  Digits(comm, batch * steps, 784).write(place / "digits.h5");
  const storage::DatasetReader reader(comm.handle(), place / "digits.h5");
  const Rows rows(reader, storage::Part::train);
  std::vector<double> without, with, held_up, with_mpiio, held_up_by_mpiio;
  train(comm, rows, {});
  for (int round = 0; round < 15; ++round) {
    without.push_back(train(comm, rows, {}));
    with.push_back(train(comm, rows, place / "checkpoints"));
    with_mpiio.push_back(train(comm, rows, place / "checkpoints", mpiio));
    held_up.push_back(stall(comm, place));
    held_up_by_mpiio.push_back(stall(comm, place, mpiio));
    if (comm.is_root())
      fmt::print(
          "  round {}: {} batches in {:.3f} s, with a checkpoint {:.3f} s, through MPI-IO {:.3f} s; start "
          "takes "
          "{:.3f} and {:.3f} s\n",
          round, steps, without.back(), with.back(), with_mpiio.back(), held_up.back(),
          held_up_by_mpiio.back());
  }
  const double least = fastest(without);
  if (comm.is_root())
    fmt::print("MLP 784-1024-1024-10, {} ranks: a batch takes {:.0f} ms\n", comm.size(), least / steps * 1e3);
  const auto tell = [&](const char* by, double lost, double still) {
    if (comm.is_root())
      fmt::print(
          "  {}: a checkpoint stops it for {:.0f} ms, and costs {:.0f} ms in all: {:.2f} % and {:.2f} % with "
          "one "
          "every 30 s (goal: under 2 %)\n",
          by, still * 1e3, lost * 1e3, still / 30 * 100, lost / 30 * 100);
  };
  tell("posix", fastest(with) - least, median(held_up));
  tell("MPI-IO", fastest(with_mpiio) - least, median(held_up_by_mpiio));
}

void run(const Communicator& comm, int argc, char** argv) {
  const testing::SharedTemporaryDirectory scratch(argc > 1 ? fs::path(argv[1]) : fs::temp_directory_path());
  const std::uint64_t mib = number_argument(argc, argv, 2, 512);
  compare_writing(comm, scratch.path(), mib);
  compare_training(comm, scratch.path());
}

}  // namespace
}  // namespace kernmill::tasks

int main(int argc, char** argv) {
  const kernmill::tasks::MpiSession mpi(argc, argv);
  const Kokkos::ScopeGuard kokkos(argc, argv);
  kernmill::tasks::run(mpi.world(), argc, argv);
}
