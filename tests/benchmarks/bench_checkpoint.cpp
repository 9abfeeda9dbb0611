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
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <Kokkos_Core.hpp>
#include <fmt/format.h>

#include "kernmill/storage/dataset.hpp"
#include "kernmill/storage/raw_file.hpp"
#include "kernmill/tasks/comm/mpi_session.hpp"
#include "kernmill/tasks/learn/fit.hpp"

namespace kernmill::tasks {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Seconds that the slowest rank took.
template <class Work>
double seconds_of(const Communicator& comm, const Work& work) {
  comm.barrier();
  const auto start = Clock::now();
  work();
  const double own = std::chrono::duration<double>(Clock::now() - start).count();
  return comm.allreduce(own, Reduction::max);
}

class Writing {
 public:
  Writing(const Communicator& comm, fs::path place, std::uint64_t mib)
      : comm_(comm), place_(std::move(place)), rows_(mib * 128) {
    const auto own = storage::rows_of_rank(rows_, comm.rank(), comm.size());
    box_ = {{own.begin, 0}, {own.count(), columns}};
    data_.resize(own.count() * columns);
    for (std::size_t i = 0; i < data_.size(); ++i) data_[i] = static_cast<double>(i) * 1e-3;
  }

  double checkpoint(const std::optional<storage::Key>& key) {
    const std::vector<storage::TensorBox> boxes{{"w", {rows_, columns}, box_, data_}};
    storage::CheckpointWriter writer(comm_.handle(), place_ / "checkpoints", {}, key);
    const double seconds = seconds_of(comm_, [&] {
      writer.start(1, "{}", boxes);
      const auto outcome = writer.finish();
      if (!outcome->error.empty()) throw std::runtime_error(outcome->error);
    });
    remove("checkpoints");
    return seconds;
  }

  /// Written, synced, read back; neither summed nor compared.
  double raw() {
    comm_.agree([&] {
      if (comm_.is_root() && std::fclose(std::fopen((place_ / "raw").c_str(), "w")) != 0) std::abort();
    });
    const auto bytes = std::as_bytes(std::span<const double>(data_));
    const std::uint64_t begin = box_.offset[0] * columns * sizeof(double);
    std::vector<std::byte> back(piece);
    const double seconds = seconds_of(comm_, [&] {
      const storage::RawFile file(place_ / "raw", place_ / "raw", storage::RawFile::Access::write);
      for (std::uint64_t at = 0; at < bytes.size(); at += piece)
        file.write(begin + at, bytes.subspan(at, std::min(piece, bytes.size() - at)));
      file.sync();
      for (std::uint64_t at = 0; at < bytes.size(); at += piece)
        file.read(begin + at, std::span(back).first(std::min(piece, bytes.size() - at)));
    });
    remove("raw");
    return seconds;
  }

 private:
  static constexpr std::uint64_t columns = 1024, piece = std::uint64_t{1} << 20;

  void remove(const char* name) {
    comm_.barrier();
    if (comm_.is_root()) fs::remove_all(place_ / name);
    comm_.barrier();
  }

  const Communicator& comm_;
  fs::path place_;
  std::uint64_t rows_;
  storage::Box box_;
  std::vector<double> data_;
};

void compare_writing(const Communicator& comm, const fs::path& place, std::uint64_t mib) {
  Writing writing(comm, place, mib);
  const storage::Key key(std::array<std::byte, storage::Key::size>{});
  std::vector<double> raw, plain, sealed;
  for (int round = 0; round < 7; ++round) {
    raw.push_back(writing.raw());
    plain.push_back(writing.checkpoint(std::nullopt));
    sealed.push_back(writing.checkpoint(key));
    if (comm.is_root())
      fmt::print("  round {}: raw {:.3f} s, checkpoint {:.3f} s, encrypted {:.3f} s\n", round, raw.back(),
                 plain.back(), sealed.back());
  }
  const auto speed = [&](const std::vector<double>& seconds) {
    return static_cast<double>(mib) / 1024 / median(seconds);
  };
  if (comm.is_root())
    fmt::print(
        "durable write of {} MiB, {} ranks: raw {:.2f} GiB/s, checkpoint {:.2f} GiB/s, ratio {:.2f} "
        "(goal 0.9); encrypted {:.2f} GiB/s, {:.2f} of plain\n",
        mib, comm.size(), speed(raw), speed(plain), speed(plain) / speed(raw), speed(sealed),
        speed(sealed) / speed(plain));
}

constexpr std::uint64_t batch = 128, steps = 12;

void make_digits(const Communicator& comm, const fs::path& file) {
  storage::Schema schema;
  for (int i = 0; i < 784; ++i) schema.features.push_back(fmt::format("pixel_{}", i));
  schema.target = "digit";
  schema.target_kind = storage::TargetKind::classes;
  for (int i = 0; i < 10; ++i) schema.classes.push_back(fmt::format("{}", i));
  const std::uint64_t rows = batch * steps;
  const auto own = storage::rows_of_rank(rows, comm.rank(), comm.size());
  std::vector<double> features(own.count() * 784), target(own.count());
  for (std::size_t i = 0; i < features.size(); ++i) features[i] = static_cast<double>(i * 7919 % 256) / 256;
  for (std::size_t i = 0; i < target.size(); ++i) target[i] = static_cast<double>(i % 10);
  const std::vector<std::uint64_t> numbers(own.count(), 0);
  storage::DatasetWriter writer(comm.handle(), file, schema, {rows, 0, 0});
  writer.write(storage::Part::train, own.begin, features, target, numbers);
  writer.commit();
}

/// One epoch of `steps` batches; with a directory, a checkpoint after half of them.
double train(const Communicator& comm, const Rows& rows, const fs::path& checkpoints) {
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
  Session session(comm, policy, false);
  const double seconds = seconds_of(comm, [&] {
    fit(config, rows, session);
    session.finish();
  });
  comm.barrier();
  if (!checkpoints.empty() && comm.is_root()) fs::remove_all(checkpoints);
  comm.barrier();
  return seconds;
}

/// How long `start` takes of the second checkpoint of that network: weights, and Adam's two moments.
double stall(const Communicator& comm, const fs::path& place) {
  constexpr std::uint64_t parameters = 784 * 1024 + 1024 + 1024 * 1024 + 1024 + 1024 * 10 + 10;
  const std::vector<double> values(parameters, 0.5);
  storage::CheckpointWriter writer(comm.handle(), place / "checkpoints");
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
  comm.barrier();
  if (comm.is_root()) fs::remove_all(place / "checkpoints");
  comm.barrier();
  return seconds;
}

void compare_training(const Communicator& comm, const fs::path& place) {
  make_digits(comm, place / "digits.h5");
  const storage::DatasetReader reader(comm.handle(), place / "digits.h5");
  const Rows rows(reader, storage::Part::train);
  std::vector<double> without, with, held_up;
  train(comm, rows, {});
  for (int round = 0; round < 15; ++round) {
    without.push_back(train(comm, rows, {}));
    with.push_back(train(comm, rows, place / "checkpoints"));
    held_up.push_back(stall(comm, place));
    if (comm.is_root())
      fmt::print("  round {}: {} batches in {:.3f} s, with a checkpoint {:.3f} s; start takes {:.3f} s\n",
                 round, steps, without.back(), with.back(), held_up.back());
  }
  const double fastest = *std::min_element(without.begin(), without.end());
  const double lost = *std::min_element(with.begin(), with.end()) - fastest, still = median(held_up);
  if (comm.is_root())
    fmt::print(
        "MLP 784-1024-1024-10, {} ranks: a batch takes {:.0f} ms; a checkpoint stops it for {:.0f} ms, "
        "and costs {:.0f} ms in all: {:.2f} % and {:.2f} % with one every 30 s (goal: under 2 %)\n",
        comm.size(), fastest / steps * 1e3, still * 1e3, lost * 1e3, still / 30 * 100, lost / 30 * 100);
}

int run(const Communicator& comm, int argc, char** argv) {
  std::string place = argc > 1 ? argv[1] : fs::temp_directory_path().string();
  place += "/kernmill-bench-XXXXXX";
  if (comm.is_root() && mkdtemp(place.data()) == nullptr) return 1;
  comm.bcast(place);
  const int mib = argc > 2 ? std::atoi(argv[2]) : 512;
  compare_writing(comm, place, static_cast<std::uint64_t>(mib));
  compare_training(comm, place);
  comm.barrier();
  if (comm.is_root()) fs::remove_all(place);
  return 0;
}

}  // namespace
}  // namespace kernmill::tasks

int main(int argc, char** argv) {
  const kernmill::tasks::MpiSession mpi(argc, argv);
  const Kokkos::ScopeGuard kokkos(argc, argv);
  return kernmill::tasks::run(mpi.world(), argc, argv);
}
