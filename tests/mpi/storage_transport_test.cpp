#include <thread>

#include <gmock/gmock.h>

#include "kernmill/storage/checkpoint/checkpoint.hpp"
#include "kernmill/storage/dataset/dataset.hpp"
#include "shared_directory.hpp"

/// Files by both transports: the same bytes, whoever wrote them.
namespace kernmill::storage {
namespace {

using kernmill::testing::world_rank;
using kernmill::testing::world_size;
using Choice = TransportSettings::Choice;

constexpr std::uint64_t rows = 30011, columns = 7;  // 26 blocks, which begin in the middle of rows

TransportSettings by(Choice choice) {
  return {choice, {}};
}

/// MPI-IO as on a parallel file system: two of the ranks write for all, a few blocks at a time.
TransportSettings buffered() {
  return {Choice::mpiio,
          {{"romio_cb_write", "enable"},
           {"cb_config_list", "*:*"},
           {"cb_nodes", "2"},
           {"cb_buffer_size", "300000"}}};
}

double number_at(std::uint64_t row, std::uint64_t column) {
  return static_cast<double>(row * columns + column) * 0.25;
}

Schema schema() {
  Schema made;
  for (std::uint64_t i = 0; i < columns; ++i) made.features.push_back("x" + std::to_string(i));
  made.target_kind = TargetKind::numbers;
  made.target_names = {"y"};
  return made;
}

std::vector<double> features_of(const IndexRange& range) {
  std::vector<double> numbers;
  for (std::uint64_t row = range.begin; row < range.end; ++row)
    for (std::uint64_t column = 0; column < columns; ++column) numbers.push_back(number_at(row, column));
  return numbers;
}

class Transports : public kernmill::testing::SharedDirectory {
 protected:
  /// The ranks' shares of the first half, then of the second.
  std::string write(const std::filesystem::path& file, const TransportSettings& transport,
                    const std::optional<Key>& key = {}) {
    WriteOptions options;
    options.key = key;
    options.transport = transport;
    DatasetWriter writer(MPI_COMM_WORLD, file, schema(), {rows, 3, 0}, options);
    for (const IndexRange half : {IndexRange{0, rows / 2}, IndexRange{rows / 2, rows}}) {
      IndexRange own = even_share(half.count(), world_rank(), world_size());
      own = {own.begin + half.begin, own.end + half.begin};
      const std::vector<double> target(own.count(), 1.5);
      const std::vector<std::uint64_t> numbers(own.count(), 7);
      writer.write(Part::train, own.begin, features_of(own), target, numbers);
    }
    // All of the validation part is one rank's.
    const std::uint64_t count = world_rank() == world_size() - 1 ? 3 : 0;
    writer.write(Part::validation, 0, std::vector<double>(count * columns, 4), std::vector<double>(count, 5),
                 std::vector<std::uint64_t>(count, 6));
    writer.commit();
    MPI_Barrier(MPI_COMM_WORLD);
    return writer.transport().reason;
  }
};

TEST_F(Transports, LeaveTheSameBytes) {
  const std::string posix = write(directory / "posix.h5", by(Choice::posix));
  EXPECT_EQ(posix.substr(0, 18), "posix: asked for; ");
  const std::string bytes = content(directory / "posix.h5");
  EXPECT_EQ(write(directory / "mpiio.h5", by(Choice::mpiio)).substr(0, 18), "mpiio: asked for; ");
  EXPECT_TRUE(content(directory / "mpiio.h5") == bytes);
  write(directory / "buffered.h5", buffered());
  EXPECT_TRUE(content(directory / "buffered.h5") == bytes);
}

TEST_F(Transports, EncryptTheSameContent) {
  const Key key(std::array<std::byte, Key::size>{std::byte{1}});
  write(directory / "posix.h5", by(Choice::posix), key);
  write(directory / "mpiio.h5", buffered(), key);
  const DatasetReader one(MPI_COMM_WORLD, directory / "posix.h5", {key});
  const DatasetReader other(MPI_COMM_WORLD, directory / "mpiio.h5", {key});
  EXPECT_EQ(one.content_hash(), other.content_hash());
  const IndexRange range{rows / 3, rows / 2};
  std::vector<double> features(range.count() * columns);
  other.read(Part::train, range, features, {});
  EXPECT_EQ(features, features_of(range));
}

TEST_F(Transports, ReadTheSameTogether) {
  const Key key(std::array<std::byte, Key::size>{std::byte{1}});
  for (const std::optional<Key>& with : {std::optional<Key>{}, std::optional(key)}) {
    const auto file = directory / (with ? "encrypted.h5" : "plain.h5");
    write(file, by(Choice::posix), with);
    const DatasetReader reader(MPI_COMM_WORLD, file, {with, Verify::once, by(Choice::mpiio)});
    EXPECT_EQ(reader.transport().transport, Transport::mpiio);
    EXPECT_FALSE(reader.prefers_large_reads()) << "this is a local file system";
    // Ranges that overlap, in the wrong order, within a block and of nothing.
    const auto rank = static_cast<std::uint64_t>(world_rank());
    for (const IndexRange range : {IndexRange{rows / 2 - 1000 * rank, rows - 17 * rank},
                                   IndexRange{5 * rank, 5 * rank + 3}, IndexRange{rank, rank}}) {
      std::vector<double> features(range.count() * columns);
      reader.read_stored_together(Part::train, range, std::as_writable_bytes(std::span(features)));
      EXPECT_EQ(features, features_of(range));
    }
  }
}

TEST_F(Transports, FindDamageTogetherAndTellEveryRank) {
  write(directory / "dataset.h5", by(Choice::posix));
  std::string bytes = content(directory / "dataset.h5");
  MPI_Barrier(MPI_COMM_WORLD);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  put(directory / "dataset.h5", bytes);
  const DatasetReader reader(MPI_COMM_WORLD, directory / "dataset.h5",
                             {std::nullopt, Verify::once, by(Choice::mpiio)});
  const IndexRange own = even_share(rows, world_rank(), world_size());
  std::vector<std::byte> stored(own.count() * reader.stored_row_bytes());
  EXPECT_THAT(
      kernmill::testing::message_of<Error>([&] { reader.read_stored_together(Part::train, own, stored); }),
      ::testing::HasSubstr("checksum of block"));
}

// One rank's mistake is everybody's error, and nobody waits for it: the other tables are gone through by all.
TEST_F(Transports, TellEveryRankOfANumberThatDoesNotFit) {
  WriteOptions options;
  options.encoding.features = Element::u8;
  options.transport = buffered();
  DatasetWriter writer(MPI_COMM_WORLD, directory / "dataset.h5", schema(), {rows, 0, 0}, options);
  const IndexRange own = even_share(rows, world_rank(), world_size());
  std::vector<double> features(own.count() * columns, 3);
  if (world_rank() == world_size() - 1) features[12345] = 300;
  EXPECT_THAT(kernmill::testing::message_of<Error>([&] {
                writer.write(Part::train, own.begin, features, std::vector<double>(own.count()),
                             std::vector<std::uint64_t>(own.count()));
              }),
              ::testing::HasSubstr("uint8 holds no 300"));
}

/// Columns of a tensor of 3 MB, so that every chunk is of all ranks; a small one of rank 0; and one of
/// nothing.
class CheckpointsTogether : public Transports {
 protected:
  static constexpr std::uint64_t height = 900, width = 413;

  void start(CheckpointWriter& writer, std::uint64_t step) {
    const IndexRange own = even_share(width, world_rank(), world_size());
    numbers_.clear();
    for (std::uint64_t row = 0; row < height; ++row)
      for (std::uint64_t column = own.begin; column < own.end; ++column)
        numbers_.push_back(number_at(row, column));
    std::vector<TensorBox> boxes{
        {"weights", {height, width}, {{0, own.begin}, {height, own.count()}}, std::span(numbers_)},
        {"none", {0, 5}, {{0, 0}, {0, 5}}, std::span<const double>{}}};
    if (world_rank() == 0) boxes.push_back({"steps", {3}, {{0}, {3}}, std::span(few_)});
    writer.start(step, "{}", boxes);
  }
  /// Writes one while other things go on; returns the file's bytes.
  std::string save(const std::string& name, const TransportSettings& transport,
                   const std::optional<Key>& key = {}) {
    CheckpointWriter writer(MPI_COMM_WORLD, directory / name, {}, key, transport);
    start(writer, 1);
    std::fill(numbers_.begin(), numbers_.end(), -1);  // they are its own no more
    const auto outcome = writer.finish();
    EXPECT_TRUE(outcome && outcome->error.empty()) << (outcome ? outcome->error : "");
    MPI_Barrier(MPI_COMM_WORLD);
    return content(directory / name / "step-1.h5");
  }

 private:
  std::vector<double> numbers_;
  const std::vector<double> few_{1, 2, 3};
};

TEST_F(CheckpointsTogether, AreTheSameBytes) {
  const std::string bytes = save("posix", by(Choice::posix));
  EXPECT_TRUE(save("mpiio", by(Choice::mpiio)) == bytes);
  EXPECT_TRUE(save("buffered", buffered()) == bytes);
}

TEST_F(CheckpointsTogether, AreEncryptedAsWell) {
  const Key key(std::array<std::byte, Key::size>{std::byte{2}});
  save("mpiio", buffered(), key);
  const auto loaded = load_newest_checkpoint(MPI_COMM_WORLD, directory / "mpiio", key);
  ASSERT_TRUE(loaded.found);
  for (const Tensor& tensor : loaded.checkpoint.tensors) {
    if (tensor.name != "weights") continue;
    for (const std::uint64_t at : {std::uint64_t{0}, height * width / 2, height * width - 1})
      EXPECT_EQ(tensor.data.as<double>()[at], number_at(at / width, at % width));
  }
}

// Ranks ask as often as they like: the first ones all the time, the last one once in a while, and never do
// they wait for each other. The second one is begun while the file of the first is open still.
TEST_F(CheckpointsTogether, GetOnWhenRanksAskAtDifferentTimes) {
  CheckpointWriter writer(MPI_COMM_WORLD, directory, {}, {}, buffered());
  for (const std::uint64_t step : {1, 2}) {
    start(writer, step);
    std::optional<CheckpointOutcome> outcome;
    for (long asked = 0; !outcome; ++asked) {
      if (world_rank() < world_size() - 1 || asked % 100 == 0) outcome = writer.poll();
      std::this_thread::yield();
    }
    EXPECT_EQ(outcome->error, "");
    EXPECT_EQ(outcome->step, step);
  }
  EXPECT_FALSE(writer.finish());
  MPI_Barrier(MPI_COMM_WORLD);
  EXPECT_EQ(load_newest_checkpoint(MPI_COMM_WORLD, directory).checkpoint.step, 2U);
}

}  // namespace
}  // namespace kernmill::storage
