#include <random>

#include <gmock/gmock.h>

#include "kernmill/storage/file/agreement.hpp"
#include "kernmill/storage/file/from_root.hpp"
#include "kernmill/storage/sealed/sealed_reader.hpp"
#include "kernmill/storage/sealed/sealed_writer.hpp"
#include "shared_directory.hpp"

/// Tables in blocks of 64 KiB, written by all ranks in pieces that end anywhere.
namespace kernmill::storage {
namespace {

using kernmill::testing::message_of;
using kernmill::testing::world_rank;
using kernmill::testing::world_size;
using ::testing::AllOf;
using ::testing::HasSubstr;
using Bytes = std::vector<std::byte>;

constexpr std::size_t large = 0, small = 1, empty = 2;  // the tables
constexpr std::uint64_t large_rows = 90001;             // of 5 doubles: 54 blocks and a piece of one

Key key_of(int number) {
  std::array<std::byte, Key::size> bytes{};
  bytes.fill(static_cast<std::byte>(number));
  return Key(bytes);
}

Bytes content_of(std::size_t table, std::uint64_t size) {
  Bytes bytes(size);
  std::mt19937 random(static_cast<unsigned>(table) + 1);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

/// How the bytes travel: by themselves; through MPI-IO, each rank its own; and by way of two of the ranks, a
/// few blocks at a time.
enum class Way { posix, mpiio, buffered };

class Sealed : public kernmill::testing::SharedDirectory, public ::testing::WithParamInterface<bool> {
 protected:
  [[nodiscard]] std::filesystem::path file() const { return directory / "tables.h5"; }
  [[nodiscard]] bool encrypted() const { return GetParam(); }
  [[nodiscard]] SealedWriter writer_of(const std::vector<SealedTable>& tables, bool digests) const {
    TableFileOptions options;
    if (way != Way::posix) options.choice.transport = Transport::mpiio;
    if (way == Way::buffered)
      options.settings.hints = {{"romio_cb_write", "enable"},
                                {"cb_config_list", "*:*"},
                                {"cb_nodes", "2"},
                                {"cb_buffer_size", "600000"}};
    return {open_tables(MPI_COMM_WORLD, file(), file(), datasets_of(tables), options, Purpose::writing),
            file(), tables, cipher_, digests};
  }

  /// The structure, by one rank; then everybody knows where the tables lie.
  std::vector<SealedTable> create() {
    if (encrypted()) cipher_ = FileCipher(key_of(1), Salt{});
    return from_root(MPI_COMM_WORLD, [&] {
      auto out = hdf5::File::create(file(), file());
      if (cipher_) write_encryption(out, *cipher_);
      create_sealed_table(out, "part/large", hdf5::Type::f64, {large_rows, 5}, encrypted());
      create_sealed_table(out, "part/small", hdf5::Type::u64, {3}, encrypted());
      create_sealed_table(out, "part/empty", hdf5::Type::f64, {0, 5}, encrypted());
      out.close();
      return find(hdf5::File::open(file(), file()));
    });
  }
  [[nodiscard]] std::vector<SealedTable> find(const hdf5::File& in) const {
    return {find_sealed_table(in, "part/large", hdf5::Type::f64, 2, encrypted()),
            find_sealed_table(in, "part/small", hdf5::Type::u64, 1, encrypted()),
            find_sealed_table(in, "part/empty", hdf5::Type::f64, 2, encrypted())};
  }
  /// Pieces of so many elements, dealt to the ranks in turn.
  void write(SealedWriter& writer, const std::vector<SealedTable>& tables) const {
    std::mt19937 random(7);
    for (std::size_t t = 0; t < tables.size(); ++t) {
      const Bytes bytes = content_of(t, tables[t].bytes);
      std::uint64_t number = 0;
      for (std::uint64_t at = 0; at < bytes.size(); ++number) {
        const std::uint64_t length = std::min<std::uint64_t>(8 + random() % 120000 * 8, bytes.size() - at);
        const bool mine = static_cast<int>(number % static_cast<unsigned>(world_size())) == world_rank();
        writer.write(t, at, std::span(bytes).subspan(at, mine ? length : 0));
        at += length;
      }
    }
  }
  static void seal(SealedWriter& writer) {
    agree(MPI_COMM_WORLD, [&] { writer.sync(); });
    writer.exchange(MPI_COMM_WORLD);
    agree(MPI_COMM_WORLD, [&] { writer.seal(); });
  }
  std::vector<SealedTable> write_all() {
    auto tables = create();
    SealedWriter writer = writer_of(tables, true);
    write(writer, tables);
    seal(writer);
    digests_ = writer.table_digests(MPI_COMM_WORLD);
    return tables;
  }
  [[nodiscard]] SealedReader reader(std::vector<SealedTable> tables, Verify verify = Verify::once) const {
    return {file(), file(), std::move(tables), cipher_, verify};
  }
  void flip(std::uint64_t at) const {
    std::string bytes = content(file());
    MPI_Barrier(MPI_COMM_WORLD);
    bytes.at(at) = static_cast<char>(bytes.at(at) ^ 0x20);
    put(file(), bytes);
  }
  void expect_lost_block_found() {
    const auto tables = create();
    SealedWriter writer = writer_of(tables, false);
    write(writer, tables);
    MPI_Barrier(MPI_COMM_WORLD);
    flip(tables[large].offset + 5 * block_bytes);
    EXPECT_THAT(message_of<Error>([&] { seal(writer); }),
                HasSubstr("block 5 of 'part/large' did not reach the disk as it was written"));
  }
  Way way = Way::posix;
  std::optional<FileCipher> cipher_;
  std::vector<Digest> digests_;
};

INSTANTIATE_TEST_SUITE_P(Tables, Sealed, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Encrypted" : "Plain"; });

class SealedTogether : public Sealed {};
INSTANTIATE_TEST_SUITE_P(Tables, SealedTogether, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Encrypted" : "Plain"; });

TEST_P(Sealed, ComeBackWhole) {
  const auto tables = write_all();
  const SealedReader in = reader(tables);
  for (std::size_t t = 0; t < tables.size(); ++t) {
    Bytes bytes(tables[t].bytes);
    in.read(t, 0, bytes);
    EXPECT_TRUE(bytes == content_of(t, tables[t].bytes)) << tables[t].name;
    in.check(t, 0, tables[t].blocks());
  }
}

TEST_P(Sealed, AnyRangeOfBytesCanBeRead) {
  const auto tables = write_all();
  const Bytes expected = content_of(large, tables[large].bytes);
  std::mt19937 random(static_cast<unsigned>(world_rank()));
  for (int i = 0; i < 60; ++i) {
    const SealedReader in = reader(tables);
    const std::uint64_t begin = random() % expected.size();
    const std::uint64_t length = random() % (i % 2 == 0 ? 3 * block_bytes : expected.size() - begin + 1);
    Bytes bytes(std::min(length, expected.size() - begin));
    in.read(large, begin, bytes);
    ASSERT_TRUE(std::equal(bytes.begin(), bytes.end(), expected.begin() + static_cast<std::ptrdiff_t>(begin)))
        << bytes.size() << " bytes from " << begin;
  }
}

TEST_P(Sealed, PiecesComeInTheOrderAskedFor) {
  const auto tables = write_all();
  const Bytes expected = content_of(large, tables[large].bytes);
  const SealedReader in = reader(tables);
  std::mt19937 random(3);
  std::vector<std::uint64_t> offsets{0, 40, 80, tables[large].bytes - 40};
  for (int i = 0; i < 200; ++i) offsets.push_back(random() % large_rows * 40);
  Bytes bytes(offsets.size() * 40);
  in.read_pieces(large, offsets, 40, bytes);
  for (std::size_t i = 0; i < offsets.size(); ++i)
    EXPECT_TRUE(std::equal(bytes.begin() + static_cast<std::ptrdiff_t>(40 * i),
                           bytes.begin() + static_cast<std::ptrdiff_t>(40 * (i + 1)),
                           expected.begin() + static_cast<std::ptrdiff_t>(offsets[i])))
        << i;
}

TEST_P(Sealed, AreInClearOnDiskOnlyWithoutAKey) {
  const auto tables = write_all();
  const Bytes expected = content_of(large, 64);
  const std::string text(reinterpret_cast<const char*>(expected.data()), expected.size());
  EXPECT_EQ(content(file()).find(text) == std::string::npos, encrypted());
}

TEST_P(Sealed, AFlippedByteOfABlockIsFoundAndLocated) {
  const auto tables = write_all();
  flip(tables[large].offset + 3 * block_bytes + 17);
  Bytes bytes(tables[large].bytes);
  EXPECT_THAT(message_of<Error>([&] { reader(tables).read(large, 0, bytes); }),
              AllOf(HasSubstr("tables.h5"), HasSubstr("block 3 of 'part/large'")));
  EXPECT_THAT(message_of<Error>([&] { reader(tables).check(large, 0, tables[large].blocks()); }),
              HasSubstr("checksum of block 3 of 'part/large' is wrong"));
  const std::vector<std::uint64_t> row{4 * block_bytes / 40 * 40};  // its first bytes are in block 3
  EXPECT_THAT(
      message_of<Error>([&] { reader(tables).read_pieces(large, row, 40, std::span(bytes).first(40)); }),
      HasSubstr("block 3 of 'part/large'"));
  reader(tables).read(large, 4 * block_bytes, std::span(bytes).first(1000));
}

TEST_P(Sealed, AFlippedByteOfAChecksumOrTagIsFoundAndLocated) {
  const auto tables = write_all();
  flip(tables[large].checksums + 7 * 4);
  EXPECT_THAT(message_of<Error>([&] { reader(tables).check(large, 0, tables[large].blocks()); }),
              HasSubstr("block 7 of 'part/large'"));
  if (!encrypted()) return;
  flip(*tables[large].tags + 9 * tag_bytes + 15);
  Bytes bytes(tables[large].bytes);
  EXPECT_THAT(message_of<Error>([&] { reader(tables).read(large, 0, bytes); }),
              HasSubstr("block 9 of 'part/large' is not what was encrypted"));
}

TEST_P(SealedTogether, LeaveTheSameBytesAndDigestsByAnyWay) {
  write_all();
  const std::string bytes = content(file());
  const auto digests = digests_;
  for (const Way other : {Way::mpiio, Way::buffered}) {
    MPI_Barrier(MPI_COMM_WORLD);
    if (world_rank() == 0) std::filesystem::remove(file());
    way = other;
    write_all();
    EXPECT_TRUE(content(file()) == bytes) << static_cast<int>(other);
    EXPECT_TRUE(digests_ == digests);
  }
}

TEST_P(SealedTogether, ABlockThatDoesNotReachTheDiskIsFoundByMpiioToo) {
  way = Way::mpiio;
  expect_lost_block_found();
}

TEST_P(SealedTogether, APieceOfOneRankThatFailsLeavesNobodyWaiting) {
  for (const Way by : {Way::mpiio, Way::buffered}) {
    way = by;
    const auto tables = create();
    {
      SealedWriter writer = writer_of(tables, false);
      const Bytes bytes = content_of(large, tables[large].bytes);
      const bool last = world_rank() == world_size() - 1;
      const std::vector<NewBytes> pieces{{large, last ? tables[large].bytes : 0, bytes},  // beyond its end
                                         {small, 0, {}}};
      EXPECT_THROW(agree(MPI_COMM_WORLD, [&] { writer.write(pieces); }), std::exception);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    if (world_rank() == 0) std::filesystem::remove(file());
  }
}

TEST_P(Sealed, ABlockThatDoesNotReachTheDiskIsFound) {
  expect_lost_block_found();
}

TEST_P(Sealed, APieceThatNobodyOrTwoHaveWrittenIsFound) {
  {
    const auto tables = create();
    SealedWriter writer = writer_of(tables, false);
    write(writer, {tables[large]});
    EXPECT_THAT(message_of<Error>([&] { seal(writer); }),
                HasSubstr("block 0 of 'part/small' was not written"));
  }
  std::filesystem::remove(file());
  MPI_Barrier(MPI_COMM_WORLD);
  const auto tables = create();
  SealedWriter writer = writer_of(tables, false);
  write(writer, tables);
  writer.write(small, 8, Bytes(world_rank() == world_size() - 1 ? 8 : 0));
  EXPECT_THAT(message_of<Error>([&] { seal(writer); }),
              HasSubstr("block 0 of 'part/small' was written twice"));
}

TEST_P(Sealed, TheDigestIsThatOfTheContentAlone) {
  write_all();
  if (world_rank() != 0) return;
  ASSERT_EQ(digests_.size(), 3U);
  const Bytes content = content_of(large, large_rows * 40);
  Sha256 all;
  for (std::size_t at = 0; at < content.size(); at += SealedWriter::digest_bytes)
    all.add(digest_of(std::span(content).subspan(
        at, std::min<std::size_t>(SealedWriter::digest_bytes, content.size() - at))));
  EXPECT_EQ(hexadecimal(digests_[large]), hexadecimal(all.finish()));
  EXPECT_EQ(hexadecimal(digests_[empty]), hexadecimal(digest_of({})));
}

TEST_P(Sealed, TheKeyIsAskedForAndTold) {
  create();
  const auto in = hdf5::File::open(file(), file());
  EXPECT_EQ(is_encrypted(in), encrypted());
  if (!encrypted()) {
    EXPECT_FALSE(read_encryption(in, std::nullopt));
    EXPECT_THAT(message_of<KeyError>([&] { read_encryption(in, key_of(1)); }), HasSubstr("is not encrypted"));
    return;
  }
  EXPECT_TRUE(read_encryption(in, key_of(1)));
  EXPECT_THAT(message_of<Error>([&] { read_encryption(in, std::nullopt); }),
              AllOf(HasSubstr("is encrypted"), HasSubstr("key_file")));
  EXPECT_THAT(message_of<Error>([&] { read_encryption(in, key_of(2)); }),
              HasSubstr("the key is not the one that it was encrypted with"));
}

}  // namespace
}  // namespace kernmill::storage
