// Writes checkpoints, or datasets, until it is killed or has written so many:
//
//   fault_writer checkpoint|floats|dataset|mixed|sparse[-mpiio] DIRECTORY COUNT [FAIL]
//
// First it loads what it finds there, compares every number, and says which step that was. FAIL is the how
// many-th step of a commit ends with a full disk, on rank 1. The records that the harness reads are
// lines of DIRECTORY/journal: each is written when what it says has happened.
#include <atomic>
#include <cerrno>
#include <cmath>
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

template <class T>
std::vector<T> numbers_as(std::uint64_t step, std::uint64_t tensor, const std::vector<std::uint64_t>& shape,
                          const Box& box) {
  const std::vector<double> values = numbers(step, tensor, shape, box);
  return {values.begin(), values.end()};
}

/// Two tensors of 500 kB, cut by columns or by rows.
template <class T>
const std::vector<std::uint64_t> shape{300, 211 * sizeof(double) / sizeof(T)};
const std::vector<std::string> names{"weights", "moments"};

template <class T>
Box own_box(bool by_columns) {
  const std::vector<std::uint64_t>& all = shape<T>;
  const IndexRange range = even_share(all[by_columns ? 1 : 0], rank, size);
  return by_columns ? Box{{0, range.begin}, {all[0], range.count()}}
                    : Box{{range.begin, 0}, {range.count(), all[1]}};
}

/// The newest step, every number of which is right on every rank. Anything else is what must never happen.
template <class T>
std::uint64_t load_checkpoint(const fs::path& directory) {
  std::uint64_t step = 0;
  const Box box = own_box<T>(false);
  std::vector<std::vector<T>> read(names.size(), std::vector<T>(volume_of(box)));
  const auto newest = take_newest_checkpoint(MPI_COMM_WORLD, directory, [&](const CheckpointReader& reader) {
    std::vector<TensorTarget> targets;
    for (std::size_t i = 0; i < names.size(); ++i) targets.push_back({names[i], box, read[i]});
    reader.read(targets);
    step = reader.step();
  });
  if (!newest.found) step = 0;
  bool right = true;
  for (std::uint64_t i = 0; newest.found && i < names.size(); ++i)
    right = right && read[i] == numbers_as<T>(step, i, shape<T>, box);
  if (!right) record(directory, fmt::format("corrupt {}", step));
  record(directory, fmt::format("loaded {} skipped {}", step, newest.skipped.size()));
  for (const std::string& reason : newest.skipped)
    if (rank == 0) fmt::print("{}\n", reason);
  return step;
}

template <class T>
void write_checkpoints(const fs::path& directory, std::uint64_t count) {
  std::uint64_t step = load_checkpoint<T>(directory);
  CheckpointWriter writer(MPI_COMM_WORLD, directory, {}, {}, transport);
  for (std::uint64_t last = step + count; step < last;) {
    ++step;
    const Box box = own_box<T>(step % 2 == 0);
    std::vector<std::vector<T>> data;
    std::vector<TensorBox> boxes;
    for (std::uint64_t i = 0; i < names.size(); ++i) data.push_back(numbers_as<T>(step, i, shape<T>, box));
    for (std::uint64_t i = 0; i < names.size(); ++i) boxes.push_back({names[i], shape<T>, box, data[i]});
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

constexpr std::uint64_t columns = 20;
enum class Kind { dense, mixed, sparse };
Kind kind = Kind::dense;

/// So that each kind of dataset is about as large.
std::uint64_t rows() {
  return kind == Kind::dense ? 6000 : kind == Kind::mixed ? 17500 : 7600;
}

WriteOptions options() {
  WriteOptions wanted;
  wanted.encoding.sparse = kind == Kind::sparse;
  if (kind != Kind::mixed) return wanted;
  wanted.encoding.features = Element::f32;
  for (std::uint32_t column = 0; column < columns; column += 2) wanted.encoding.bytes.push_back(column);
  return wanted;
}

fs::path dataset_file(const fs::path& directory, std::uint64_t step) {
  return directory / fmt::format("dataset-{}.h5", step);
}

Schema schema() {
  Schema made;
  for (std::uint64_t i = 0; i < columns; ++i) made.features.push_back(fmt::format("x{}", i));
  return made;
}

/// Numbers that the kind holds: bytes in every other column, or nothing in half of the places.
std::vector<double> features(std::uint64_t step, IndexRange range) {
  auto values = numbers(step, 0, {rows(), columns}, {{range.begin, 0}, {range.count(), columns}});
  for (std::uint64_t i = 0; i < values.size() && kind != Kind::dense; ++i)
    if (kind == Kind::sparse)
      values[i] = values[i] < 0.5 ? 0 : values[i];
    else
      values[i] =
          i % 2 == 0 ? std::floor(256 * values[i]) : static_cast<double>(static_cast<float>(values[i]));
  return values;
}

SparseRows sparse_of(const std::vector<double>& dense) {
  SparseRows made;
  for (std::uint64_t i = 0; i < dense.size(); ++i) {
    if (dense[i] != 0) {
      made.columns.push_back(static_cast<std::uint32_t>(i % columns));
      made.values.push_back(dense[i]);
    }
    if (i % columns + 1 == columns) made.begins.push_back(made.values.size());
  }
  return made;
}

void write_dataset(const fs::path& file, std::uint64_t step) {
  const IndexRange range = even_share(rows(), rank, size);
  const std::vector<std::uint64_t> row_numbers(range.count(), 0);
  WriteOptions wanted = options();
  wanted.transport = transport;
  if (kind == Kind::sparse) wanted.entries[0] = sparse_of(features(step, {0, rows()})).values.size();
  DatasetWriter writer(MPI_COMM_WORLD, file, schema(), {rows(), 0, 0}, wanted);
  if (kind == Kind::sparse)
    writer.write_sparse(Part::train, range.begin, sparse_of(features(step, {0, range.begin})).values.size(),
                        sparse_of(features(step, range)), {}, row_numbers);
  else
    writer.write(Part::train, range.begin, features(step, range), {}, row_numbers);
  writer.commit();
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
      const IndexRange range = even_share(rows(), rank, size);
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
  for (std::uint64_t last = step + count; step < last;) {
    try {
      write_dataset(dataset_file(directory, step + 1), step + 1);
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
  std::string wanted = argv[1];
  if (wanted.ends_with("-mpiio")) {
    transport.choice = TransportSettings::Choice::mpiio;
    wanted.resize(wanted.rfind('-'));
  }
  if (wanted == "mixed") kind = Kind::mixed;
  if (wanted == "sparse") kind = Kind::sparse;
  if (wanted == "checkpoint")
    write_checkpoints<double>(directory, count);
  else if (wanted == "floats")
    write_checkpoints<float>(directory, count);
  else
    write_datasets(directory, count);
  MPI_Finalize();
  return 0;
}
