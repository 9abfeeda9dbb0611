// Datasets beside what moves the same bytes without them:
//
//   mpiexec -n 2 bench_storage [DIRECTORY [MIB]]
//
// 1. Reading MIB (512), each rank its own contiguous rows, beside pread of the same bytes into the same
// memory,
//    with and without a CRC-32C of each block. First all from the page cache, which is warm: the first read
//    of a file verifies it, later ones need not; encrypted ones beside plain ones. Then from the disk.
// 2. Writing as much: made, written, synced, verified and renamed, beside raw writes that are synced and read
//    back.
// 3. Mini-batches of 128 rows of 784 numbers out of 60,000 as training draws them, beside HDF5's
//    hyperslabs, a pread a row and a contiguous block. Each rank reads batches of its own. A dataset's
//    numbers are float64; the same rivals on float32 come last.
#include <memory>

#include <Kokkos_Core.hpp>
#include <fmt/format.h>

#include "files.hpp"
#include "hdf5_rows.hpp"
#include "kernmill/storage/file/crc32c.hpp"
#include "kernmill/storage/file/raw_file.hpp"
#include "kernmill/storage/sealed/sealed_table.hpp"
#include "kernmill/tasks/comm/mpi_session.hpp"
#include "kernmill/tasks/learn/rows/batch.hpp"
#include "kernmill/tasks/learn/rows/row_order.hpp"
#include "rivals.hpp"
#include "shared_temporary_directory.hpp"

namespace kernmill::tasks {
namespace {

namespace fs = std::filesystem;
using storage::RawFile;
using Numbers = std::vector<std::uint64_t>;

storage::Key some_key() {
  return storage::Key(std::array<std::byte, storage::Key::size>{});
}

/// A table of a plain file, as its bytes lie there.
class RawTable {
 public:
  RawTable(const fs::path& file, const std::string& name, std::uint64_t row_bytes)
      : file_(file, file, RawFile::Access::read),
        begin_(Hdf5Rows(file, name).offset()),
        row_bytes_(row_bytes) {}

  [[nodiscard]] std::uint64_t row_bytes() const { return row_bytes_; }
  /// From a row on.
  void read(std::uint64_t row, std::span<std::byte> out) const { file_.read(begin_ + row * row_bytes_, out); }
  void read_each(const Numbers& rows, std::span<std::byte> out) const {
    for (std::size_t i = 0; i < rows.size(); ++i) read(rows[i], out.subspan(i * row_bytes_, row_bytes_));
  }
  /// As `read`, and the CRC-32C of each block, which nobody compares.
  void read_and_sum(std::uint64_t row, std::span<std::byte> out) const {
    constexpr std::uint64_t piece = 4 * storage::block_bytes;
    std::uint64_t at = begin_ + row * row_bytes_;
    std::uint32_t sums = 0;
    while (!out.empty()) {
      auto bytes = out.first(std::min<std::uint64_t>(piece, out.size()));
      file_.read(at, bytes);
      at += bytes.size();
      out = out.subspan(bytes.size());
      while (!bytes.empty()) {
        const std::span<const std::byte> block =
            bytes.first(std::min<std::uint64_t>(storage::block_bytes, bytes.size()));
        sums ^= storage::crc32c(block);
        bytes = bytes.subspan(block.size());
      }
    }
    sum_ = sums;
  }

 private:
  RawFile file_;
  std::uint64_t begin_, row_bytes_;
  mutable volatile std::uint32_t sum_ = 0;
};

class Reading {
 public:
  Reading(const Communicator& comm, const Digits& digits, fs::path plain, fs::path encrypted)
      : comm_(comm),
        own_(digits.own()),
        plain_(std::move(plain)),
        encrypted_(std::move(encrypted)),
        raw_(plain_, "train/features", digits.columns() * sizeof(double)),
        features_(digits.features().size()),
        target_(own_.count()) {}

  void compare(std::uint64_t mib) {
    compare_warm(mib);
    compare_cold(mib);
  }

 private:
  void compare_warm(std::uint64_t mib) {
    Rivals rivals(comm_);
    const auto bytes = std::as_writable_bytes(std::span(features_));
    const auto read =
        rivals.add("pread", [=, this] { return seconds_of(comm_, [&] { raw_.read(own_.begin, bytes); }); });
    rivals.add(
        "pread, CRC-32C",
        [=, this] { return seconds_of(comm_, [&] { raw_.read_and_sum(own_.begin, bytes); }); },
        Rivals::Goal{read, 0.9});
    rivals.add("opening", [&] { return opening(); });
    const auto first = rivals.add(
        "first read", [&] { return reading(plain_, 1); }, Rivals::Goal{read, 0.9});
    rivals.add(
        "later read", [&] { return reading(plain_, 2); }, Rivals::Goal{read, 0.9});
    rivals.add(
        "encrypted", [&] { return reading(encrypted_, 1); }, Rivals::Goal{first, 0.7});
    rivals.race(15);
    rivals.print(fmt::format("Reading {} MiB, page cache warm", mib));
  }
  void compare_cold(std::uint64_t mib) {
    Rivals rivals(comm_);
    const auto bytes = std::as_writable_bytes(std::span(features_));
    const auto read = rivals.add("pread", [=, this] {
      forget(comm_, plain_);
      return seconds_of(comm_, [&] { raw_.read(own_.begin, bytes); });
    });
    const auto cold = [this](const fs::path& file) {
      forget(comm_, file);
      return reading(file, 1);
    };
    const auto first = rivals.add(
        "first read", [=, this] { return cold(plain_); }, Rivals::Goal{read, 0.9});
    rivals.add(
        "encrypted", [=, this] { return cold(encrypted_); }, Rivals::Goal{first, 0.7});
    rivals.race(9);
    rivals.print(fmt::format("Reading {} MiB from the disk", mib));
  }
  double opening() const {
    return seconds_of(comm_, [&] { const storage::DatasetReader reader(comm_.handle(), plain_); });
  }
  /// The last of so many reads.
  double reading(const fs::path& file, int times) {
    const auto key = file == encrypted_ ? std::optional(some_key()) : std::nullopt;
    const storage::DatasetReader reader(comm_.handle(), file, {key});
    const Rows rows(reader, storage::Part::train);
    double seconds = 0;
    for (int i = 0; i < times; ++i) seconds = seconds_of(comm_, [&] { rows.read(own_, features_, target_); });
    return seconds;
  }

  const Communicator& comm_;
  storage::IndexRange own_;
  fs::path plain_, encrypted_;
  RawTable raw_;
  std::vector<double> features_, target_;
};

void compare_writing(const Communicator& comm, const Digits& digits, const fs::path& place,
                     std::uint64_t mib) {
  const auto dataset = [&](const std::optional<storage::Key>& key) {
    const double seconds = digits.write(place / "written.h5", key);
    remove_together(comm, place / "written.h5");
    return seconds;
  };
  Rivals rivals(comm);
  const auto raw = rivals.add("raw", [&] {
    return write_raw(comm, place / "raw", digits.own().begin * digits.columns() * sizeof(double),
                     std::as_bytes(digits.features()));
  });
  const auto plain = rivals.add(
      "dataset", [&] { return dataset({}); }, Rivals::Goal{raw, 0.9});
  rivals.add(
      "encrypted", [&] { return dataset(some_key()); }, Rivals::Goal{plain, 0.7});
  rivals.race(7);
  rivals.print(fmt::format("Durable write of {} MiB", mib));
}

/// Mini-batches of random rows, by whom they are read.
class MiniBatches {
 public:
  static constexpr std::uint64_t rows = 60'000, columns = 784, batch = 128;

  MiniBatches(const Communicator& comm, fs::path dataset, const fs::path& floats)
      : comm_(comm),
        file_(std::move(dataset)),
        reader_(comm.handle(), file_),
        doubles_(file_, "train/features", sizeof(double)),
        floats_(floats, "table", sizeof(float)),
        features_(batch * columns),
        target_(batch) {}

  void compare() {
    Rivals rivals(comm_);
    const auto pread = add_bare(rivals, "float64", doubles_, {});
    const Rivals::Goal beside{pread, 0};
    const Shuffle blocks = shuffle_of("block", rows, columns * sizeof(double));
    rivals.add(
        "full shuffle, first epoch", [&] { return first_epoch({}); }, beside);
    rivals.add(
        "full shuffle, later epochs", [&] { return epoch({}, reader_); }, beside);
    rivals.add(
        "by block, first epoch", [=, this] { return first_epoch(blocks); }, beside);
    rivals.add(
        "by block, later epochs", [=, this] { return epoch(blocks, reader_); }, beside);
    rivals.add(
        "by block, as training loads them", [=, this] { return loaded(blocks); }, beside);
    add_bare(rivals, "float32", floats_, {" [0.748]", " [0.152]", " [0.032]"});
    rivals.race(7);
    rivals.print("Mini-batches of 128 x 784, page cache warm [HDF5 1.10.8, one process, elsewhere]");
  }

 private:
  struct Bare {
    Bare(const fs::path& file, const std::string& name, std::uint64_t number_bytes)
        : hdf5(file, name), table(file, name, columns * number_bytes) {}
    Hdf5Rows hdf5;
    RawTable table;
  };

  /// Those of an epoch that are this rank's: every size-th one.
  [[nodiscard]] std::vector<Numbers> batches_of(const Shuffle& shuffle) const {
    const RowOrder order(rows, shuffle, 1, 0);
    std::vector<Numbers> batches;
    const auto size = static_cast<std::uint64_t>(comm_.size());
    for (auto b = static_cast<std::uint64_t>(comm_.rank()); (b + 1) * batch <= rows; b += size) {
      batches.emplace_back();
      for (std::uint64_t i = 0; i < batch; ++i) batches.back().push_back(order(b * batch + i));
    }
    return batches;
  }

  /// Seconds a batch.
  template <class Read>
  double each(const std::vector<Numbers>& batches, const Read& read) const {
    const double seconds = seconds_of(comm_, [&] {
      for (const Numbers& numbers : batches) read(numbers);
    });
    return seconds / static_cast<double>(batches.size());
  }

  /// Returns that of one pread a row.
  std::size_t add_bare(Rivals& rivals, const std::string& type, const Bare& bare,
                       const std::array<std::string, 3>& known) {
    const auto batches = batches_of({});
    const auto bytes = std::as_writable_bytes(std::span(features_)).first(batch * bare.table.row_bytes());
    const auto add = [&](const char* name, const std::string& figure, auto read) {
      return rivals.add(fmt::format("{}, {}{}", name, type, figure),
                        [=, this] { return each(batches, read); });
    };
    add("hyperslabs", known[0],
        [&bare, bytes](const Numbers& numbers) { bare.hdf5.read(numbers, bytes.data()); });
    add("contiguous block", known[2], [&bare, bytes](const Numbers& numbers) {
      bare.table.read(std::min(numbers.front(), rows - batch), bytes);
    });
    return add("pread a row", known[1],
               [&bare, bytes](const Numbers& numbers) { bare.table.read_each(numbers, bytes); });
  }

  double epoch(const Shuffle& shuffle, const storage::DatasetReader& reader) {
    const Rows training(reader, storage::Part::train);
    return each(batches_of(shuffle),
                [&](const Numbers& numbers) { training.read(numbers, features_, target_); });
  }
  double first_epoch(const Shuffle& shuffle) {
    const storage::DatasetReader reader(comm_.handle(), file_);
    return epoch(shuffle, reader);
  }
  /// Read ahead in a thread, and brought to the device; nobody computes in the meantime.
  double loaded(const Shuffle& shuffle) {
    const Rows training(reader_, storage::Part::train);
    BatchLoader loader(training, Loss::cross_entropy);
    const auto batches = batches_of(shuffle);
    std::size_t next = 0;
    return each(batches, [&](const Numbers& numbers) {
      (void)loader.load(numbers);
      if (++next < batches.size()) loader.prefetch(batches[next]);
    });
  }

  const Communicator& comm_;
  fs::path file_;
  storage::DatasetReader reader_;
  Bare doubles_, floats_;
  std::vector<double> features_, target_;
};

void compare_mini_batches(const Communicator& comm, const fs::path& place) {
  Digits(comm, MiniBatches::rows, MiniBatches::columns).write(place / "digits.h5");
  comm.agree([&] {
    if (comm.is_root()) make_float_table(place / "floats.h5", MiniBatches::rows, MiniBatches::columns);
  });
  MiniBatches(comm, place / "digits.h5", place / "floats.h5").compare();
}

void run(const Communicator& comm, int argc, char** argv) {
  const testing::SharedTemporaryDirectory scratch(argc > 1 ? fs::path(argv[1]) : fs::temp_directory_path());
  const fs::path& place = scratch.path();
  const std::uint64_t mib = number_argument(argc, argv, 2, 512);
  {
    const Digits digits(comm, mib * 128, 1024);
    digits.write(place / "plain.h5");
    digits.write(place / "encrypted.h5", some_key());
    Reading(comm, digits, place / "plain.h5", place / "encrypted.h5").compare(mib);
    compare_writing(comm, digits, place, mib);
  }
  compare_mini_batches(comm, place);
}

}  // namespace
}  // namespace kernmill::tasks

int main(int argc, char** argv) {
  const kernmill::tasks::MpiSession mpi(argc, argv);
  const Kokkos::ScopeGuard kokkos(argc, argv);
  kernmill::tasks::run(mpi.world(), argc, argv);
}
