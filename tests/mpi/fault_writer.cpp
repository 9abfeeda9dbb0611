// Writes checkpoints, or datasets, until it is killed or has written so many:
//
//   fault_writer checkpoint|dataset[-mpiio] DIRECTORY COUNT [FAIL]
//
// First it loads what it finds there, compares every number, and says which step that was. FAIL is the how
// many-th step of a commit ends with a full disk, on rank 1. The records that the harness reads are
// lines of DIRECTORY/journal: each is written when what it says has happened.
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <set>

#include <fcntl.h>
#include <fmt/format.h>
#include <mpi.h>
#include <unistd.h>

#include "kernmill/storage/checkpoint/checkpoint.hpp"
#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/storage/file/durable.hpp"

namespace {

using namespace kernmill::storage;
namespace fs = std::filesystem;

int rank = 0, size = 1;
TransportSettings transport{TransportSettings::Choice::posix, {}};

/// One line, in one write: it is there whole, or not.
void record(const fs::path& directory, const std::string& line) {
  if (rank != 0) return;
  const int file = open((directory / "journal").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const std::string text = line + "\n";
  if (file < 0 || write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
  close(file);
}

double number_at(std::uint64_t step, std::uint64_t tensor, std::uint64_t element) {
  std::uint64_t hash = (step * 31 + tensor) * 0x9E3779B97F4A7C15ULL + element;
  hash = (hash ^ (hash >> 31U)) * 0xBF58476D1CE4E5B9ULL;
  return static_cast<double>((hash ^ (hash >> 29U)) >> 11U) * 0x1p-53;
}

std::vector<double> numbers(std::uint64_t step, std::uint64_t tensor, const std::vector<std::uint64_t>& shape,
                            const Box& box) {
  std::vector<double> values(volume_of(box));
  Runs(shape, box).each(0, ~std::uint64_t{0}, [&](std::uint64_t at, std::uint64_t to, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) values[to + i] = number_at(step, tensor, at + i);
  });
  return values;
}

/// Two tensors of 500 kB, cut by columns or by rows.
const std::vector<std::uint64_t> shape{300, 211};
const std::vector<std::string> names{"weights", "moments"};

Box own_box(bool by_columns) {
  const IndexRange range = even_share(shape[by_columns ? 1 : 0], rank, size);
  return by_columns ? Box{{0, range.begin}, {shape[0], range.count()}}
                    : Box{{range.begin, 0}, {range.count(), shape[1]}};
}

/// The newest step, every number of which is right on every rank. Anything else is what must never happen.
std::uint64_t load_checkpoint(const fs::path& directory) {
  std::uint64_t step = 0;
  const Box box = own_box(false);
  std::vector<std::vector<double>> read(names.size(), std::vector<double>(volume_of(box)));
  const auto newest = take_newest_checkpoint(MPI_COMM_WORLD, directory, [&](const CheckpointReader& reader) {
    std::vector<TensorTarget> targets;
    for (std::size_t i = 0; i < names.size(); ++i) targets.push_back({names[i], box, read[i]});
    reader.read(targets);
    step = reader.step();
  });
  if (!newest.found) step = 0;
  bool right = true;
  for (std::uint64_t i = 0; newest.found && i < names.size(); ++i)
    right = right && read[i] == numbers(step, i, shape, box);
  if (!right) record(directory, fmt::format("corrupt {}", step));
  record(directory, fmt::format("loaded {} skipped {}", step, newest.skipped.size()));
  for (const std::string& reason : newest.skipped)
    if (rank == 0) fmt::print("{}\n", reason);
  return step;
}

void write_checkpoints(const fs::path& directory, std::uint64_t count) {
  std::uint64_t step = load_checkpoint(directory);
  CheckpointWriter writer(MPI_COMM_WORLD, directory, {}, {}, transport);
  for (std::uint64_t last = step + count; step < last;) {
    ++step;
    const Box box = own_box(step % 2 == 0);
    std::vector<std::vector<double>> data;
    std::vector<TensorBox> boxes;
    for (std::uint64_t i = 0; i < names.size(); ++i) data.push_back(numbers(step, i, shape, box));
    for (std::uint64_t i = 0; i < names.size(); ++i) boxes.push_back({names[i], shape, box, data[i]});
    std::string error;
    try {
      writer.start(step, "{}", boxes);
      error = writer.finish()->error;
    } catch (const Error& e) {
      error = e.what();
    }
    record(directory, error.empty() ? fmt::format("saved {}", step) : fmt::format("failed {}", step));
    if (!error.empty() && rank == 0) fmt::print("{}\n", error);
  }
}

constexpr std::uint64_t rows = 6000, columns = 20;

fs::path dataset_file(const fs::path& directory, std::uint64_t step) {
  return directory / fmt::format("dataset-{}.h5", step);
}

Schema schema() {
  Schema made;
  for (std::uint64_t i = 0; i < columns; ++i) made.features.push_back(fmt::format("x{}", i));
  return made;
}

std::vector<double> features(std::uint64_t step, IndexRange range) {
  return numbers(step, 0, {rows, columns}, {{range.begin, 0}, {range.count(), columns}});
}

std::set<std::uint64_t> datasets_in(const fs::path& directory) {
  std::set<std::uint64_t> steps;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("dataset-")) steps.insert(std::strtoull(name.c_str() + 8, nullptr, 10));
  }
  return steps;
}

/// Every dataset that has its name is whole; returns the newest.
std::uint64_t load_datasets(const fs::path& directory) {
  std::uint64_t newest = 0, refused = 0;
  for (const std::uint64_t step : datasets_in(directory)) {
    try {
      const DatasetReader reader(MPI_COMM_WORLD, dataset_file(directory, step));
      const IndexRange range = even_share(rows, rank, size);
      std::vector<double> values(range.count() * columns);
      reader.read(Part::train, range, values, {});
      if (values != features(step, range)) record(directory, fmt::format("corrupt {}", step));
      newest = step;
    } catch (const Error& e) {
      ++refused;
      if (rank == 0) fmt::print("{}\n", e.what());
    }
  }
  record(directory, fmt::format("loaded {} skipped {}", newest, refused));
  return newest;
}

void write_datasets(const fs::path& directory, std::uint64_t count) {
  std::uint64_t step = load_datasets(directory);
  WriteOptions options;
  options.transport = transport;
  for (std::uint64_t last = step + count; step < last;) {
    const IndexRange range = even_share(rows, rank, size);
    const std::vector<std::uint64_t> row_numbers(range.count(), 0);
    try {
      DatasetWriter writer(MPI_COMM_WORLD, dataset_file(directory, step + 1), schema(), {rows, 0, 0},
                           options);
      writer.write(Part::train, range.begin, features(step + 1, range), {}, row_numbers);
      writer.commit();
      record(directory, fmt::format("saved {}", ++step));
      if (rank == 0 && step > 2) remove_quietly(dataset_file(directory, step - 2));
    } catch (const Error& e) {
      record(directory, fmt::format("failed {}", step + 1));
      if (rank == 0) fmt::print("{}\n", e.what());
      return;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const fs::path directory = argv[2];
  write_durably(directory / fmt::format("pid.{}", rank), std::to_string(getpid()));
  static std::atomic<long> left{argc > 4 ? std::atol(argv[4]) : 0};
  if (left > 0 && rank == 1)
    set_fault([](std::string_view step) { return step != "create" && --left == 0 ? ENOSPC : 0; });
  const std::uint64_t count = std::strtoull(argv[3], nullptr, 10);
  const std::string_view kind = argv[1];
  if (kind.ends_with("-mpiio")) transport.choice = TransportSettings::Choice::mpiio;
  kind.starts_with("dataset") ? write_datasets(directory, count) : write_checkpoints(directory, count);
  MPI_Finalize();
  return 0;
}
