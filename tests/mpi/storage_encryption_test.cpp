#include <algorithm>

#include <gmock/gmock.h>

#include "kernmill/storage/checkpoint/checkpoint.hpp"
#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/storage/error.hpp"
#include "kernmill/storage/model/model.hpp"
#include "kernmill/storage/sealed/sealed_file.hpp"
#include "shared_directory.hpp"

/// Whole files, plain and encrypted: what can be read of them, by whom, and what a changed byte does.
namespace kernmill::storage {
namespace {

using kernmill::testing::message_of;
using kernmill::testing::world_rank;
using kernmill::testing::world_size;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using Values = std::vector<double>;

constexpr std::uint64_t train_rows = 30000;  // of 3 features: 11 blocks

Key key_of(int number) {
  std::array<std::byte, Key::size> bytes{};
  bytes.fill(static_cast<std::byte>(number));
  return Key(bytes);
}

Schema schema_of(const std::string& source = "input.csv") {
  Schema schema;
  schema.features = {"width", "length", "tell-nobody"};
  schema.inputs = numbers_named(schema.features);
  schema.target = "kind";
  schema.target_kind = TargetKind::classes;
  schema.classes = {"a", "b"};
  schema.source = source;
  return schema;
}

Values features_of(IndexRange rows) {
  Values values;
  for (std::uint64_t i = 3 * rows.begin; i < 3 * rows.end; ++i)
    values.push_back(0.5 * static_cast<double>(i) + 1);
  return values;
}

void write(MPI_Comm comm, const std::filesystem::path& file, const std::optional<Key>& key,
           const Schema& schema = schema_of(), double last_target = 1) {
  int rank = 0, size = 1;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  DatasetWriter writer(comm, file, schema, {train_rows, 0, 7}, {key, R"({"by":"a test"})"});
  for (const auto& [part, rows] :
       {std::pair{Part::train, train_rows}, std::pair{Part::test, std::uint64_t{7}}}) {
    const IndexRange mine = even_share(rows, rank, size);
    Values target(mine.count(), 1);
    if (mine.end == rows && !target.empty()) target.back() = last_target;
    std::vector<std::uint64_t> numbers(mine.count(), 5);
    writer.write(part, mine.begin, features_of(mine), target, numbers);
  }
  writer.commit();
}

void read_all(const DatasetReader& reader) {
  for (const Part part : all_parts) {
    const std::uint64_t rows = reader.rows(part);
    Values features(3 * rows), target(rows);
    std::vector<std::uint64_t> numbers(rows);
    reader.read(part, {0, rows}, features, target);
    reader.read_row_numbers(part, {0, rows}, numbers);
    if (features != features_of({0, rows}) || target != Values(rows, 1) ||
        numbers != std::vector<std::uint64_t>(rows, 5))
      throw std::logic_error("something else than was written has been read");
  }
}

class DatasetFiles : public kernmill::testing::SharedDirectory, public ::testing::WithParamInterface<bool> {
 protected:
  [[nodiscard]] std::filesystem::path file() const { return directory / "dataset.h5"; }
  [[nodiscard]] static std::optional<Key> key() {
    return GetParam() ? std::optional(key_of(1)) : std::nullopt;
  }
  [[nodiscard]] SealedTable table(const std::string& name, hdf5::Type type, std::size_t dimensions) const {
    return find_sealed_table(hdf5::File::open(file(), file()), name, type, dimensions, GetParam());
  }
  /// What a reader says of the file with a byte changed; empty when it reads what was written.
  [[nodiscard]] std::string with_flipped(const std::string& whole, std::size_t at) const {
    std::string bytes = whole;
    bytes.at(at) = static_cast<char>(bytes.at(at) ^ (1 << (at % 8)));
    put(file(), bytes);
    std::string message =
        message_of<Error>([&] { read_all(DatasetReader(MPI_COMM_WORLD, file(), {key()})); });
    MPI_Barrier(MPI_COMM_WORLD);
    return message;
  }
  [[nodiscard]] std::string whole() const {
    std::string bytes = content(file());
    MPI_Barrier(MPI_COMM_WORLD);
    return bytes;
  }
};

INSTANTIATE_TEST_SUITE_P(Files, DatasetFiles, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Encrypted" : "Plain"; });

TEST_P(DatasetFiles, ComeBackWithTheirKeyAndWithoutVerifying) {
  write(MPI_COMM_WORLD, file(), key());
  for (const Verify verify : {Verify::once, Verify::never}) {
    const DatasetReader reader(MPI_COMM_WORLD, file(), {key(), verify});
    EXPECT_EQ(reader.schema().features, schema_of().features);
    EXPECT_EQ(reader.provenance(), R"({"by":"a test"})");
    read_all(reader);
    const std::vector<std::uint64_t> rows{29999, 0, 17, 17, 9000};
    Values features(15), target(5);
    reader.read_rows(Part::train, rows, features, target);
    for (std::size_t i = 0; i < rows.size(); ++i)
      EXPECT_EQ(Values(features.begin() + static_cast<std::ptrdiff_t>(3 * i),
                       features.begin() + static_cast<std::ptrdiff_t>(3 * i + 3)),
                features_of({rows[i], rows[i] + 1}));
  }
}

TEST_P(DatasetFiles, AChangedByteOfATableIsLocated) {
  write(MPI_COMM_WORLD, file(), key());
  const auto place = table("train/features", hdf5::Type::f64, 2);
  const auto numbers = table("test/row_numbers", hdf5::Type::u64, 1);
  const std::string bytes = whole();
  EXPECT_THAT(with_flipped(bytes, place.offset + 3 * block_bytes + 100),
              HasSubstr("block 3 of 'train/features'"));
  EXPECT_THAT(with_flipped(bytes, place.offset + place.bytes - 1), HasSubstr("block 10 of 'train/features'"));
  EXPECT_THAT(with_flipped(bytes, numbers.offset), HasSubstr("block 0 of 'test/row_numbers'"));
  if (GetParam())
    EXPECT_THAT(with_flipped(bytes, *place.tags + 2 * tag_bytes), HasSubstr("block 2 of 'train/features'"));
  else
    EXPECT_THAT(with_flipped(bytes, place.checksums + 2 * 4), HasSubstr("block 2 of 'train/features'"));
}

TEST_P(DatasetFiles, AChangedByteOfTheSchemaIsFound) {
  write(MPI_COMM_WORLD, file(), key());
  const std::uint64_t content = GetParam() ? table("sealed/content", hdf5::Type::u8, 1).offset : 0;
  const std::string bytes = whole();
  if (!GetParam()) {
    const auto at = bytes.find("tell-nobody");
    ASSERT_NE(at, std::string::npos);
    EXPECT_THAT(with_flipped(bytes, at), HasSubstr("checksum of the header is wrong"));
    return;
  }
  EXPECT_THAT(with_flipped(bytes, content + 1000), HasSubstr("block 0 of 'sealed/content'"));
}

TEST_P(DatasetFiles, NoChangedByteChangesWhatIsRead) {
  write(MPI_COMM_WORLD, file(), key());
  const std::string bytes = whole();
  int found = 0, tried = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 1 + bytes.size() / 40) {
    found += with_flipped(bytes, at).empty() ? 0 : 1;  // not found: a byte that nobody reads, as a checksum
    ++tried;
  }
  EXPECT_GT(found, tried * 9 / 10);
  for (std::size_t at = 0; at < 3000; at += 61) EXPECT_NE(with_flipped(bytes, at), "") << "byte " << at;
  for (std::size_t back = 1; back < 60; back += 6)
    EXPECT_NE(with_flipped(bytes, bytes.size() - back), "") << back << " bytes before the end";
}

TEST_P(DatasetFiles, CutOffAnywhereAreRefused) {
  write(MPI_COMM_WORLD, file(), key());
  const std::string bytes = whole();
  for (const std::size_t less : {std::size_t{1}, std::size_t{20}, std::size_t{500}, bytes.size() / 2}) {
    put(file(), bytes.substr(0, bytes.size() - less));
    EXPECT_THAT(message_of<Error>([&] { DatasetReader(MPI_COMM_WORLD, file(), {key()}); }),
                HasSubstr("dataset.h5"))
        << less;
    MPI_Barrier(MPI_COMM_WORLD);
  }
}

class Encrypted : public kernmill::testing::SharedDirectory {
 protected:
  [[nodiscard]] std::filesystem::path file() const { return directory / "file.h5"; }
};

TEST_F(Encrypted, NothingOfADatasetIsInClear) {
  write(MPI_COMM_WORLD, file(), key_of(1));
  const std::string bytes = content(file());
  const double marker = features_of({20000, 20001})[0];
  for (const std::string& secret :
       {std::string("tell-nobody"), std::string("input.csv"), std::string("a test"),
        std::string(reinterpret_cast<const char*>(&marker), sizeof marker)})
    EXPECT_EQ(bytes.find(secret), std::string::npos);
}

TEST_F(Encrypted, ADatasetNeedsItsKey) {
  write(MPI_COMM_WORLD, file(), key_of(1));
  EXPECT_THAT(message_of<Error>([&] { DatasetReader(MPI_COMM_WORLD, file()); }),
              AllOf(HasSubstr("file.h5: is encrypted"), HasSubstr("encryption: {key_file: FILE}")));
  EXPECT_THAT(message_of<Error>([&] { DatasetReader(MPI_COMM_WORLD, file(), {key_of(2)}); }),
              HasSubstr("the key is not the one that it was encrypted with"));
}

TEST_F(Encrypted, APlainFileIsRefusedWhereThereIsAKey) {
  write(MPI_COMM_WORLD, file(), std::nullopt);
  EXPECT_THAT(message_of<KeyError>([&] { DatasetReader(MPI_COMM_WORLD, file(), {key_of(1)}); }),
              HasSubstr("file.h5: is not encrypted"));
  write_model(MPI_COMM_WORLD, directory / "model.h5", {"softmax", "{}", schema_of(), {{"w", {1}, {1}}}});
  EXPECT_THAT(message_of<KeyError>([&] { read_model(MPI_COMM_WORLD, directory / "model.h5", key_of(1)); }),
              HasSubstr("model.h5: is not encrypted"));
  write_checkpoint(MPI_COMM_WORLD, directory, {1, "{}", {{"w", {1}, {1}}}});
  EXPECT_THAT(message_of<KeyError>([&] { load_newest_checkpoint(MPI_COMM_WORLD, directory, key_of(1)); }),
              HasSubstr("step-1.h5: is not encrypted"));
}

TEST_F(Encrypted, AModelComesBackWithItsKeyAlone) {
  const Model model{
      "softmax", R"({"hidden":"settings"})", schema_of(), {{"w", {2, 2}, {1, 2, 3, 4}}, {"none", {0}, {}}}};
  write_model(MPI_COMM_WORLD, file(), model, key_of(3));
  const std::string bytes = content(file());
  EXPECT_EQ(bytes.find("hidden"), std::string::npos);
  EXPECT_EQ(bytes.find("tell-nobody"), std::string::npos);
  const Model back = read_model(MPI_COMM_WORLD, file(), key_of(3));
  EXPECT_EQ(back.settings, model.settings);
  EXPECT_EQ(back.schema.features, model.schema.features);
  ASSERT_EQ(back.parameters.size(), 2U);
  EXPECT_EQ(back.parameters[0].data, model.parameters[0].data);
  EXPECT_EQ(back.parameters[0].shape, model.parameters[0].shape);
  EXPECT_THAT(message_of<Error>([&] { read_model(MPI_COMM_WORLD, file()); }), HasSubstr("is encrypted"));
  EXPECT_THAT(message_of<Error>([&] { read_model(MPI_COMM_WORLD, file(), key_of(4)); }),
              HasSubstr("the key is not the one"));
}

TEST_F(Encrypted, AChangedByteOfAModelIsFound) {
  for (const auto& key : {std::optional<Key>(), std::optional(key_of(3))}) {
    MPI_Barrier(MPI_COMM_WORLD);
    write_model(MPI_COMM_WORLD, file(), {"softmax", "{}", schema_of(), {{"w", {4}, {1, 2, 3, 4}}}}, key);
    const std::string whole = content(file());
    MPI_Barrier(MPI_COMM_WORLD);
    for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 30) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ 0x04);
      put(file(), bytes);
      const std::string message = message_of<Error>([&] {
        EXPECT_EQ(read_model(MPI_COMM_WORLD, file(), key).parameters.at(0).data, (Values{1, 2, 3, 4}));
      });
      // What is not found is a checksum or a gap that nobody needs: of a table that the tag has proved.
      EXPECT_TRUE(key || !message.empty()) << at;
      MPI_Barrier(MPI_COMM_WORLD);
    }
  }
}

TEST_F(Encrypted, TheContentHashIsThatOfTheContentAlone) {
  const auto hash_of = [&](MPI_Comm comm, const auto& name, const std::optional<Key>& key,
                           const auto&... written) {
    write(comm, name, key, written...);
    return DatasetReader(MPI_COMM_WORLD, file(), {key}).content_hash();
  };
  const std::string hash = hash_of(MPI_COMM_WORLD, file(), std::optional<Key>());
  EXPECT_EQ(hash.size(), 64U);
  EXPECT_EQ(hash_of(MPI_COMM_WORLD, file(), std::optional(key_of(1))), hash);
  EXPECT_EQ(hash_of(MPI_COMM_WORLD, file(), std::optional<Key>(), schema_of("/elsewhere/other.csv")), hash);
  EXPECT_NE(hash_of(MPI_COMM_WORLD, file(), std::optional<Key>(), schema_of(), 0), hash);
  Schema other = schema_of();
  other.classes = {"a", "c"};
  EXPECT_NE(hash_of(MPI_COMM_WORLD, file(), std::optional<Key>(), other), hash);
  if (world_rank() == 0) {
    const auto alone = directory / "alone.h5";
    write(MPI_COMM_SELF, alone, std::nullopt);
    EXPECT_EQ(DatasetReader(MPI_COMM_SELF, alone).content_hash(), hash);
  }
}

}  // namespace
}  // namespace kernmill::storage
