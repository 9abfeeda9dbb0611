#include <gmock/gmock.h>

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

}  // namespace
}  // namespace kernmill::storage
