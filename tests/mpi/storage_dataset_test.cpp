#include <numeric>

#include <gmock/gmock.h>

#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/storage/error.hpp"
#include "kernmill/storage/model/model.hpp"
#include "shared_directory.hpp"

namespace kernmill::storage {
namespace {

using kernmill::testing::message_of;
using kernmill::testing::world_rank;
using kernmill::testing::world_size;
using ::testing::HasSubstr;

Schema two_features() {
  Schema schema;
  schema.features = {"width", "höhe"};
  schema.inputs = {{"width", ColumnType::number, {}, -1.5, 1e300, 7},
                   {"höhe", ColumnType::category, {"low", "", "hoch"}, 0, 1, 0}};
  schema.steps = {{"scale", {"width", "höhe"}, {1.5, -2.25, 0.5, 1e-300}, {}}, {"none", {}, {}, {"a", ""}}};
  schema.target = "kind";
  schema.target_kind = TargetKind::classes;
  schema.classes = {"a", "b b", "c"};
  schema.source = "input.csv";
  schema.split = R"({"type":"none"})";
  return schema;
}

double feature(std::uint64_t row, std::uint64_t column) {
  return static_cast<double>(row * 10 + column) + 0.25;
}

struct Block {
  std::vector<double> features, target;
  std::vector<std::uint64_t> numbers;
};

Block block_of(IndexRange range) {
  Block block;
  for (std::uint64_t row = range.begin; row < range.end; ++row) {
    block.features.insert(block.features.end(), {feature(row, 0), feature(row, 1)});
    block.target.push_back(static_cast<double>(row % 3));
    block.numbers.push_back(1000 + row);
  }
  return block;
}

void write_rows(DatasetWriter& writer, Part part, std::uint64_t rows) {
  const IndexRange mine = even_share(rows, world_rank(), world_size());
  const Block block = block_of(mine);
  writer.write(part, mine.begin, block.features, block.target, block.numbers);
}

class Dataset : public kernmill::testing::SharedDirectory {
 protected:
  std::filesystem::path file() const { return directory / "dataset.h5"; }
  void write(const PartSizes& sizes) const {
    DatasetWriter writer(MPI_COMM_WORLD, file(), two_features(), sizes);
    for (const Part part : all_parts) write_rows(writer, part, sizes[static_cast<std::size_t>(part)]);
    writer.commit();
  }
};

TEST_F(Dataset, EveryRankReadsWhatAllHaveWritten) {
  write({11, 0, 5});
  const DatasetReader reader(MPI_COMM_WORLD, file());
  ASSERT_EQ(reader.rows(Part::train), 11U);
  ASSERT_EQ(reader.rows(Part::validation), 0U);
  std::vector<double> features(22), target(11);
  reader.read(Part::train, {0, 11}, features, target);
  const Block expected = block_of({0, 11});
  EXPECT_EQ(features, expected.features);
  EXPECT_EQ(target, expected.target);
  std::vector<std::uint64_t> numbers(2);
  reader.read_row_numbers(Part::test, {3, 5}, numbers);
  EXPECT_EQ(numbers, (std::vector<std::uint64_t>{1003, 1004}));
}

TEST_F(Dataset, ScatteredRowsComeInTheOrderAskedFor) {
  write({20, 0, 0});
  const DatasetReader reader(MPI_COMM_WORLD, file());
  const std::vector<std::uint64_t> rows{7, 8, 9, 2, 19, 0, 2};
  std::vector<double> features(14), target(7);
  reader.read_rows(Part::train, rows, features, target);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(features[2 * i], feature(rows[i], 0));
    EXPECT_EQ(features[2 * i + 1], feature(rows[i], 1));
    EXPECT_EQ(target[i], static_cast<double>(rows[i] % 3));
  }
}

TEST_F(Dataset, KeepsItsSchema) {
  write({3, 0, 0});
  const DatasetReader reader(MPI_COMM_WORLD, file());
  const Schema expected = two_features(), actual = reader.schema();
  EXPECT_EQ(actual.features, expected.features);
  EXPECT_EQ(actual.inputs, expected.inputs);
  EXPECT_EQ(actual.steps, expected.steps);
  EXPECT_EQ(actual.split, expected.split);
  EXPECT_EQ(actual.target, expected.target);
  EXPECT_EQ(actual.target_kind, expected.target_kind);
  EXPECT_EQ(actual.classes, expected.classes);
  EXPECT_EQ(actual.source, expected.source);
  EXPECT_TRUE(actual.series.transform.empty());
}

TEST_F(Dataset, KeepsTheLevelsOfASeries) {
  Schema schema = two_features();
  schema.target_kind = TargetKind::numbers;
  schema.classes.clear();
  schema.target_names = {"width"};
  schema.series = {"log_return", 10, 1, {"width"}, {0, 9}};
  {
    DatasetWriter writer(MPI_COMM_WORLD, file(), schema, {0, 0, 2});
    const bool root = world_rank() == 0;
    const std::vector<double> features{1, 2, 3, 4}, target{5, 6}, before{7, 8}, at{9, 10};
    const std::vector<std::uint64_t> numbers{0, 1};
    const auto mine = [root](const auto& all) { return std::span(all).first(root ? all.size() : 0); };
    writer.write(Part::test, 0, mine(features), mine(target), mine(numbers));
    writer.write_levels(Part::test, 0, mine(before), mine(at));
    writer.write(Part::train, 0, {}, {}, {});
    writer.commit();
  }
  const DatasetReader reader(MPI_COMM_WORLD, file());
  EXPECT_EQ(reader.schema().series.window, 10U);
  EXPECT_EQ(reader.schema().series.lags, (std::vector<std::uint32_t>{0, 9}));
  std::vector<double> before(2), at(2);
  reader.read_levels(Part::test, {0, 2}, before, at);
  EXPECT_EQ(before, (std::vector<double>{7, 8}));
  EXPECT_EQ(at, (std::vector<double>{9, 10}));
}

TEST_F(Dataset, KeepsTheWeightsOfRows) {
  const auto write_weighted = [&](double last) {
    Schema schema = two_features();
    schema.weight = "heft";
    const std::uint64_t rows = 23;
    DatasetWriter writer(MPI_COMM_WORLD, file(), schema, {rows, 0, 0});
    write_rows(writer, Part::train, rows);
    const IndexRange mine = even_share(rows, world_rank(), world_size());
    std::vector<double> weights;
    for (std::uint64_t row = mine.begin; row < mine.end; ++row)
      weights.push_back(row + 1 == rows ? last : 0.5 * static_cast<double>(row));
    writer.write_weights(Part::train, mine.begin, weights);
    writer.commit();
    return DatasetReader(MPI_COMM_WORLD, file()).content_hash();
  };
  const std::string other = write_weighted(3), hash = write_weighted(4);
  EXPECT_NE(hash, other);
  const DatasetReader reader(MPI_COMM_WORLD, file());
  EXPECT_EQ(reader.schema().weight, "heft");
  std::vector<double> some(2), picked(3);
  reader.read_weights(Part::train, IndexRange{5, 7}, some);
  EXPECT_EQ(some, (std::vector<double>{2.5, 3}));
  reader.read_weights(Part::train, std::vector<std::uint64_t>{22, 0, 4}, picked);
  EXPECT_EQ(picked, (std::vector<double>{4, 0, 2}));
}

TEST_F(Dataset, WithoutWeightsHasNoTableOfThem) {
  write({3, 0, 0});
  const DatasetReader reader(MPI_COMM_WORLD, file());
  std::vector<double> weights(3);
  EXPECT_THAT(message_of<Error>([&] {
                reader.read_weights(Part::train, IndexRange{0, 3}, weights);
              }),
              HasSubstr("has no 'train/weights'"));
}

TEST_F(Dataset, HasTheSameBytesWheneverAndByHoweverManyItIsWritten) {
  write({11, 2, 5});
  const std::string together = content(file());
  MPI_Barrier(MPI_COMM_WORLD);
  if (world_rank() == 0) {
    const auto alone = directory / "alone.h5";
    DatasetWriter writer(MPI_COMM_SELF, alone, two_features(), {11, 2, 5});
    for (const auto& [part, rows] : {std::pair{Part::train, 11U}, {Part::validation, 2U}, {Part::test, 5U}}) {
      const Block block = block_of({0, rows});
      writer.write(part, 0, block.features, block.target, block.numbers);
    }
    writer.commit();
    EXPECT_TRUE(content(alone) == together) << "the files differ";
    // The root's object header lies behind the superblock of 48 bytes; bit 5 of its flags says that it has
    // times, which two files made within one second would hide.
    ASSERT_EQ(together.substr(48, 4), "OHDR");
    EXPECT_EQ(together[53] & 0x20, 0);
  }
}

TEST_F(Dataset, IsNotThereBeforeItIsCommitted) {
  {
    DatasetWriter writer(MPI_COMM_WORLD, file(), two_features(), {4, 0, 0});
    write_rows(writer, Part::train, 4);
    EXPECT_FALSE(std::filesystem::exists(file()));
  }
  EXPECT_TRUE(names().empty());
}

TEST_F(Dataset, WithRowsMissingIsRefusedOnEveryRank) {
  DatasetWriter writer(MPI_COMM_WORLD, file(), two_features(), {4, 0, 1});
  write_rows(writer, Part::train, 4);
  EXPECT_THAT(message_of<Error>([&] { writer.commit(); }), HasSubstr("4 of 5 rows"));
}

TEST_F(Dataset, SpansThatDoNotFitAreRefusedOnEveryRank) {
  DatasetWriter writer(MPI_COMM_WORLD, file(), two_features(), {4, 0, 0});
  const std::vector<double> three(3), one(1);
  const std::vector<std::uint64_t> numbers(1);
  EXPECT_THAT(message_of<Error>([&] { writer.write(Part::train, 0, three, one, numbers); }),
              HasSubstr("do not fit 'train'"));
}

TEST_F(Dataset, ThatIsNoHdf5FileIsNamed) {
  put(file(), "sepal_length,species\n5.1,setosa\n");
  EXPECT_THAT(message_of<Error>([&] { DatasetReader(MPI_COMM_WORLD, file()); }),
              AllOf(HasSubstr("dataset.h5"), HasSubstr("is not an HDF5 file")));
}

TEST_F(Dataset, ThatIsNotThereIsNamed) {
  EXPECT_THAT(message_of<Error>([&] { DatasetReader(MPI_COMM_WORLD, file()); }), HasSubstr("no such file"));
}

TEST_F(Dataset, ThatIsADirectoryIsNamed) {
  EXPECT_THAT(message_of<Error>([&] { DatasetReader(MPI_COMM_WORLD, directory); }),
              HasSubstr("is not a regular file"));
}

TEST_F(Dataset, ThatIsCutOffIsRefused) {
  write({1000, 0, 0});
  const std::string whole = content(file());
  MPI_Barrier(MPI_COMM_WORLD);
  for (const std::size_t size : {whole.size() - 1, whole.size() / 2, std::size_t{100}, std::size_t{8}}) {
    put(file(), whole.substr(0, size));
    EXPECT_THAT(message_of<Error>([&] { DatasetReader(MPI_COMM_WORLD, file()); }), HasSubstr("dataset.h5"))
        << size << " of " << whole.size() << " bytes";
    MPI_Barrier(MPI_COMM_WORLD);
  }
}

TEST_F(Dataset, IsNotTakenForAModelNorAModelForADataset) {
  write({1, 0, 0});
  EXPECT_THAT(message_of<Error>([&] { read_model(MPI_COMM_WORLD, file()); }),
              HasSubstr("is a kernmill-dataset, not a kernmill-model"));
  const auto model = directory / "model.h5";
  write_model(MPI_COMM_WORLD, model, {"softmax", "{}", two_features(), {{"weights", {2}, {1, 2}}}});
  EXPECT_THAT(message_of<Error>([&] { DatasetReader(MPI_COMM_WORLD, model); }),
              HasSubstr("is a kernmill-model, not a kernmill-dataset"));
}

TEST(RowsOfRank, CoverAllRowsOnceWithAtMostOneMore) {
  for (const int size : {1, 2, 3, 7, 64}) {
    std::uint64_t next = 0;
    for (int rank = 0; rank < size; ++rank) {
      const IndexRange range = even_share(10, rank, size);
      EXPECT_EQ(range.begin, next);
      EXPECT_LE(range.count(), 10U / static_cast<unsigned>(size) + 1);
      next = range.end;
    }
    EXPECT_EQ(next, 10U);
  }
}

}  // namespace
}  // namespace kernmill::storage
