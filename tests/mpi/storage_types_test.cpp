#include <bit>
#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>

#include "kernmill/storage/dataset/dataset.hpp"
#include "shared_directory.hpp"

/// Features of any type, dense and sparse.
namespace kernmill::storage {
namespace {

using kernmill::testing::message_of;
using kernmill::testing::world_rank;
using kernmill::testing::world_size;
using ::testing::AllOf;
using ::testing::HasSubstr;

Schema columns_of(std::uint64_t count) {
  Schema schema;
  for (std::uint64_t i = 0; i < count; ++i) schema.features.push_back("x" + std::to_string(i));
  schema.inputs = numbers_named(schema.features);
  schema.target = "kind";
  schema.target_kind = TargetKind::classes;
  schema.classes = {"a", "b", "c"};
  return schema;
}

struct Rows {
  std::vector<double> features, target;
  std::vector<std::uint64_t> numbers;
};

/// Numbers of 0 to 127, which every type holds.
double small_number(std::uint64_t row, std::uint64_t column) {
  return static_cast<double>((row * 31 + column * 7) % 128);
}

Rows rows_of(IndexRange range, std::uint64_t width, const auto& number) {
  Rows rows;
  for (std::uint64_t row = range.begin; row < range.end; ++row) {
    for (std::uint64_t column = 0; column < width; ++column) rows.features.push_back(number(row, column));
    rows.target.push_back(static_cast<double>(row % 3));
    rows.numbers.push_back(row);
  }
  return rows;
}

std::uint64_t bits(double number) {
  return std::bit_cast<std::uint64_t>(number);
}

class Types : public kernmill::testing::SharedDirectory {
 protected:
  static constexpr std::uint64_t width = 5;
  static constexpr PartSizes sizes{40000, 3, 0};  // more than a block, and a MiB, of any type

  [[nodiscard]] std::filesystem::path file() const { return directory / "typed.h5"; }

  void write(MPI_Comm comm, const std::filesystem::path& to, const Encoding& encoding, const auto& number,
             std::optional<Key> key = {}) const {
    int rank = 0, ranks = 1;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &ranks);
    WriteOptions options;
    options.encoding = encoding;
    options.key = key;
    DatasetWriter writer(comm, to, columns_of(width), sizes, options);
    for (const Part part : all_parts) {
      const IndexRange mine = even_share(sizes[static_cast<std::size_t>(part)], rank, ranks);
      const Rows rows = rows_of(mine, width, number);
      writer.write(part, mine.begin, rows.features, rows.target, rows.numbers);
    }
    writer.commit();
  }

  /// In each way that there is.
  static void expect_read(const DatasetReader& reader, const auto& number) {
    const IndexRange mine = even_share(reader.rows(Part::train), world_rank(), world_size());
    const Rows expected = rows_of(mine, width, number);
    std::vector<double> features(mine.count() * width), target(mine.count());
    reader.read(Part::train, mine, features, target);
    ASSERT_TRUE(features == expected.features);
    ASSERT_TRUE(target == expected.target);
    std::vector<float> floats(features.size()), few(target.size());
    reader.read(Part::train, mine, floats, few);
    for (std::size_t i = 0; i < floats.size(); ++i)
      ASSERT_EQ(floats[i], static_cast<float>(expected.features[i]));
    EXPECT_EQ(few[1], static_cast<float>(target[1]));

    const std::vector<std::uint64_t> picked{39999, 0, 1, 2, 17, 0, 20000};
    std::vector<double> scattered(picked.size() * width), labels(picked.size());
    reader.read_rows(Part::train, picked, scattered, labels);
    std::vector<float> scattered_floats(scattered.size());
    reader.read_rows(Part::train, picked, scattered_floats, {});
    for (std::size_t i = 0; i < scattered.size(); ++i) {
      EXPECT_EQ(bits(scattered[i]), bits(number(picked[i / width], i % width)));
      EXPECT_EQ(scattered_floats[i], static_cast<float>(scattered[i]));
    }
    EXPECT_EQ(labels[4], 17 % 3);
    if (!reader.encoding().sparse) expect_stored(reader, number, picked);
  }

  static void expect_stored(const DatasetReader& reader, const auto& number,
                            const std::vector<std::uint64_t>& picked) {
    const std::uint64_t bytes = reader.stored_row_bytes();
    std::vector<std::byte> range(100 * bytes), rows(picked.size() * bytes);
    reader.read_stored(Part::train, {50, 150}, range);
    reader.read_stored_rows(Part::train, picked, rows);
    std::vector<double> features(100 * width);
    std::vector<float> floats(picked.size() * width);
    reader.decode(range, features);
    reader.decode(rows, floats);
    EXPECT_TRUE(features == rows_of({50, 150}, width, number).features);
    for (std::size_t i = 0; i < floats.size(); ++i)
      EXPECT_EQ(floats[i], static_cast<float>(number(picked[i / width], i % width)));
  }
};

TEST_F(Types, EveryOneGivesBackWhatItHolds) {
  for (const Element type :
       {Element::f64, Element::f32, Element::f16, Element::bf16, Element::u8, Element::i32})
    for (const std::vector<std::uint32_t>& bytes :
         {std::vector<std::uint32_t>{}, std::vector<std::uint32_t>{0, 3},
          std::vector<std::uint32_t>{0, 1, 2, 3, 4}}) {
      SCOPED_TRACE(std::string(to_string(type)) + ", bytes " + std::to_string(bytes.size()));
      Encoding encoding;
      encoding.features = type;
      encoding.bytes = bytes;
      write(MPI_COMM_WORLD, file(), encoding, small_number);
      const DatasetReader reader(MPI_COMM_WORLD, file());
      EXPECT_EQ(reader.encoding().features, type);
      EXPECT_EQ(reader.encoding().bytes, bytes);
      EXPECT_EQ(reader.encoding().target, Element::i32);
      EXPECT_EQ(reader.stored_row_bytes(), (width - bytes.size()) * size_of(type) + bytes.size());
      expect_read(reader, small_number);
    }
}

TEST_F(Types, ScaledBytesHaveTheBitsOfStandardisedNumbers) {
  Encoding encoding;
  encoding.features = Element::u8;
  encoding.center = {72.9403, 0.1, 1.0 / 3, 255, 0};
  encoding.scale = {90.0211, 0.3, 7, 1.0 / 3, 255};
  const auto standardised = [&](std::uint64_t row, std::uint64_t column) {
    return (static_cast<double>((row * 31 + column * 7) % 256) - encoding.center[column]) /
           encoding.scale[column];
  };
  write(MPI_COMM_WORLD, file(), encoding, standardised);
  expect_read(DatasetReader(MPI_COMM_WORLD, file()), standardised);
  encoding.features = Element::f32;
  encoding.bytes = {1, 2, 4};  // the others are small whole numbers, which float32 holds, too
  encoding.center[0] = encoding.center[3] = 1;
  encoding.scale[0] = encoding.scale[3] = 2;
  write(MPI_COMM_WORLD, file(), encoding, standardised);
  expect_read(DatasetReader(MPI_COMM_WORLD, file()), standardised);
}

TEST_F(Types, StoredRowsAreWrittenAsTheyAre) {
  Encoding encoding;
  encoding.features = Element::f32;
  encoding.bytes = {0, 3};
  write(MPI_COMM_WORLD, file(), encoding, small_number);
  const DatasetReader reader(MPI_COMM_WORLD, file());
  const auto copy = directory / "copy.h5";
  {
    WriteOptions options;
    options.encoding = encoding;
    DatasetWriter writer(MPI_COMM_WORLD, copy, columns_of(width), sizes, options);
    for (const Part part : all_parts) {
      const IndexRange mine = even_share(reader.rows(part), world_rank(), world_size());
      std::vector<std::byte> rows(mine.count() * reader.stored_row_bytes());
      std::vector<double> target(mine.count());
      reader.read_stored(part, mine, rows);
      reader.read(part, mine, std::span<double>(), target);
      writer.write_stored(part, mine.begin, rows, target, rows_of(mine, 0, small_number).numbers);
    }
    writer.commit();
  }
  EXPECT_EQ(DatasetReader(MPI_COMM_WORLD, copy).content_hash(), reader.content_hash());
  EXPECT_TRUE(content(copy) == content(file()));
}

TEST_F(Types, ANumberThatATypeDoesNotHoldIsNamedByRowAndColumn) {
  const auto told = [&](Element type, double wrong, std::vector<std::uint32_t> bytes = {}) {
    Encoding encoding;
    encoding.features = type;
    encoding.bytes = std::move(bytes);
    return message_of<Error>([&] {
      write(MPI_COMM_WORLD, file(), encoding, [&](std::uint64_t row, std::uint64_t column) {
        return row == 39998 && column == 3 ? wrong : small_number(row, column);
      });
    });
  };
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(told(Element::u8, 256),
              AllOf(HasSubstr("train row 39998, x3"), HasSubstr("uint8 holds no 256")));
  EXPECT_THAT(told(Element::i32, 0.5), HasSubstr("int32 holds no 0.5"));
  EXPECT_THAT(told(Element::i32, nan), HasSubstr("int32 holds no nan"));
  EXPECT_THAT(told(Element::i32, 2147483648.0), HasSubstr("holds no 2147483648"));
  EXPECT_THAT(told(Element::f16, 65520), HasSubstr("float16 holds no 65520"));
  EXPECT_THAT(told(Element::f32, 1e39), HasSubstr("float32 holds no 1e+39"));
  EXPECT_THAT(told(Element::f64, -1, {2, 3}), HasSubstr("uint8 holds no -1"));
  EXPECT_EQ(told(Element::f16, 65519), "");
  EXPECT_EQ(told(Element::f16, std::numeric_limits<double>::infinity()), "");
}

// Whoever writes it, the hash is the same; and it tells types apart, even where the numbers are the same.
TEST_F(Types, AreInTheContentHash) {
  std::vector<std::string> hashes;
  for (const Element type : {Element::f64, Element::f16, Element::bf16}) {
    Encoding encoding;
    encoding.features = type;
    write(MPI_COMM_WORLD, file(), encoding, [](auto, auto) { return 0; });
    const auto alone = directory / ("alone." + std::to_string(world_rank()));
    write(MPI_COMM_SELF, alone, encoding, [](auto, auto) { return 0; });
    hashes.push_back(DatasetReader(MPI_COMM_WORLD, file()).content_hash());
    EXPECT_EQ(DatasetReader(MPI_COMM_SELF, alone).content_hash(), hashes.back());
    EXPECT_TRUE(content(alone) == content(file()));
  }
  EXPECT_NE(hashes[0], hashes[1]);
  EXPECT_NE(hashes[1], hashes[2]);
}

class Sparse : public kernmill::testing::SharedDirectory {
 protected:
  static constexpr std::uint64_t width = 1000, rows = 30000;

  [[nodiscard]] std::filesystem::path file() const { return directory / "sparse.h5"; }

  /// Every seventh row is empty.
  static void append(std::uint64_t row, SparseRows& to) {
    for (std::uint64_t i = 0; i < row % 7; ++i) {
      to.columns.push_back(static_cast<std::uint32_t>((row + i * 131) % 140 + i * 140));
      to.values.push_back(static_cast<double>(row % 200 + i) + 0.5);
    }
    to.begins.push_back(to.columns.size());
  }
  static SparseRows sparse(IndexRange range) {
    SparseRows made;
    for (std::uint64_t row = range.begin; row < range.end; ++row) append(row, made);
    return made;
  }
  static std::uint64_t entries_before(std::uint64_t row) { return sparse({0, row}).values.size(); }

  void write(MPI_Comm comm, const std::filesystem::path& to, Element type,
             std::optional<Key> key = {}) const {
    int rank = 0, ranks = 1;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &ranks);
    WriteOptions options;
    options.encoding.sparse = true;
    options.encoding.features = type;
    options.entries = {entries_before(rows), 0, entries_before(10)};
    options.key = key;
    DatasetWriter writer(comm, to, columns_of(width), {rows, 0, 10}, options);
    for (const auto& [part, count] : {std::pair{Part::train, rows}, {Part::test, std::uint64_t{10}}}) {
      const IndexRange mine = even_share(count, rank, ranks);
      const Rows beside = rows_of(mine, 0, small_number);
      writer.write_sparse(part, mine.begin, entries_before(mine.begin), sparse(mine), beside.target,
                          beside.numbers);
    }
    writer.commit();
  }

  static void expect_same(const SparseRows& read, const SparseRows& expected) {
    EXPECT_EQ(read.begins, expected.begins);
    EXPECT_EQ(read.columns, expected.columns);
    EXPECT_EQ(read.values, expected.values);
  }
  static void expect_read(const DatasetReader& reader) {
    EXPECT_EQ(reader.entries(Part::train), entries_before(rows));
    SparseRows read;
    const IndexRange mine = even_share(rows, world_rank(), world_size());
    reader.read_sparse(Part::train, mine, read);
    expect_same(read, sparse(mine));
    reader.read_sparse(Part::test, {3, 10}, read);
    expect_same(read, sparse({3, 10}));
    reader.read_sparse(Part::train, {7, 7}, read);
    expect_same(read, {});
    std::vector<std::uint64_t> picked{rows - 1, 0, 5, 6, 7, 8, 5};
    for (std::uint64_t i = 0; i < 300; ++i) picked.push_back(i * i * 7 % rows);
    SparseRows expected;
    for (const std::uint64_t row : picked) append(row, expected);
    reader.read_sparse_rows(Part::train, picked, read);
    expect_same(read, expected);
    expect_dense(reader, picked, expected);
  }
  static void expect_dense(const DatasetReader& reader, const std::vector<std::uint64_t>& picked,
                           const SparseRows& expected) {
    std::vector<float> dense(picked.size() * width, -1);
    reader.read_rows(Part::train, picked, dense, {});
    std::vector<float> wanted(dense.size());
    for (std::size_t row = 0; row < picked.size(); ++row)
      for (std::uint64_t i = expected.begins[row]; i < expected.begins[row + 1]; ++i)
        wanted[row * width + expected.columns[i]] = static_cast<float>(expected.values[i]);
    EXPECT_EQ(dense, wanted);
    std::vector<double> two(2 * width), labels(2);
    reader.read(Part::train, {5, 7}, two, labels);
    for (std::uint64_t i = 0; i < 2 * width; ++i) EXPECT_EQ(two[i], wanted[2 * width + i]);
    EXPECT_EQ(labels, (std::vector<double>{2, 0}));
  }
};

TEST_F(Sparse, RowsComeBackAsTheyWere) {
  for (const Element type : {Element::f64, Element::f32, Element::f16}) {
    SCOPED_TRACE(to_string(type));
    write(MPI_COMM_WORLD, file(), type);
    const DatasetReader reader(MPI_COMM_WORLD, file());
    EXPECT_TRUE(reader.encoding().sparse);
    expect_read(reader);
  }
}

TEST_F(Sparse, RowsAreEncryptedAsOthersAre) {
  const std::string secret(Key::size, 'k');
  const Key key(std::as_bytes(std::span(secret)).first<Key::size>());
  write(MPI_COMM_WORLD, file(), Element::f32, key);
  Access access;
  access.key = key;
  const DatasetReader reader(MPI_COMM_WORLD, file(), access);
  expect_read(reader);
  const auto plain = directory / "plain.h5";
  write(MPI_COMM_WORLD, plain, Element::f32);
  EXPECT_EQ(DatasetReader(MPI_COMM_WORLD, plain).content_hash(), reader.content_hash());
}

TEST_F(Sparse, RowsMakeTheSameFileOnAnyNumberOfRanks) {
  write(MPI_COMM_WORLD, file(), Element::f32);
  const auto alone = directory / ("alone." + std::to_string(world_rank()));
  write(MPI_COMM_SELF, alone, Element::f32);
  EXPECT_TRUE(content(alone) == content(file()));
}

/// What this process has asked the kernel to read so far.
std::uint64_t bytes_read() {
  std::ifstream in("/proc/self/io");
  for (std::string name; in >> name;) {
    std::uint64_t value = 0;
    in >> value;
    if (name == "rchar:") return value;
  }
  return 0;
}

// Each table has more than 4 MiB, which is beyond what a reader keeps: a row costs blocks of 64 KiB.
TEST_F(Sparse, ARowOfMillionsIsReadWithoutTheOthers) {
  constexpr std::uint64_t many = 3 << 19;
  if (world_rank() != 0) return;
  SparseRows made;
  made.begins.resize(many + 1);
  for (std::uint64_t row = 0; row < many; ++row) {
    made.begins[row + 1] = row + 1;
    made.columns.push_back(static_cast<std::uint32_t>(row % width));
    made.values.push_back(static_cast<double>(row));
  }
  Schema schema = columns_of(width);
  schema.target_kind = TargetKind::none;
  WriteOptions options;
  options.encoding.sparse = true;
  options.entries = {many, 0, 0};
  {
    DatasetWriter writer(MPI_COMM_SELF, file(), schema, {many, 0, 0}, options);
    writer.write_sparse(Part::train, 0, 0, made, {}, std::vector<std::uint64_t>(many));
    writer.commit();
  }
  const DatasetReader reader(MPI_COMM_SELF, file());
  const std::uint64_t before = bytes_read();
  SparseRows read;
  reader.read_sparse_rows(Part::train, std::vector<std::uint64_t>{700001, 5}, read);
  EXPECT_LT(bytes_read() - before, 1U << 19);
  EXPECT_EQ(read.values, (std::vector<double>{700001, 5}));
}

TEST_F(Sparse, RowsThatAreNoneAreRefusedOnEveryRank) {
  WriteOptions options;
  options.encoding.sparse = true;
  options.entries = {2, 0, 0};
  const auto told = [&](const SparseRows& made, std::uint64_t first_entry = 0) {
    return message_of<Error>([&] {
      DatasetWriter writer(MPI_COMM_WORLD, file(), columns_of(3), {1, 0, 0}, options);
      writer.write_sparse(Part::train, 0, first_entry, made, std::vector<double>{0},
                          std::vector<std::uint64_t>{0});
    });
  };
  options.encoding.features = Element::u8;
  EXPECT_THAT(told({{0, 2}, {0, 2}, {1, 256}}), HasSubstr("train row 0, x2: uint8 holds no 256"));
  options.encoding.features = Element::f64;
  EXPECT_THAT(told({{0, 2}, {1, 1}, {1, 2}}), HasSubstr("row 0: column 1 is out of order"));
  EXPECT_THAT(told({{0, 2}, {1, 3}, {1, 2}}), HasSubstr("row 0: column 3 is out of order, or none of 3"));
  EXPECT_THAT(told({{0, 2}, {1}, {1, 2}}), HasSubstr("do not fit"));
  EXPECT_THAT(told({{0, 2}, {1, 2}, {1, 2}}, 1), HasSubstr("entries 1 to 3 do not fit"));
}

}  // namespace
}  // namespace kernmill::storage
