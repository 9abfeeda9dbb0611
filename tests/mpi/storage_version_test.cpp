#include <gmock/gmock.h>

#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/storage/file/from_root.hpp"
#include "kernmill/storage/model/model.hpp"
#include "kernmill/storage/sealed/sealed_file.hpp"
#include "shared_directory.hpp"

namespace kernmill::storage {
namespace {

using kernmill::testing::message_of;
using kernmill::testing::world_rank;
using ::testing::AllOf;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// Files that Kernmill 0.1 wrote of iris.csv (every fifth row to test, standardised) in format version 1.
const std::filesystem::path files = KERNMILL_TEST_FILES;

void expect_the_schema_of_iris(const Schema& schema) {
  ASSERT_THAT(schema.inputs, SizeIs(4));
  EXPECT_EQ(schema.inputs[3].name, "petal_width");
  EXPECT_EQ(schema.inputs[3].type, ColumnType::number);
  ASSERT_THAT(schema.steps, SizeIs(1));
  EXPECT_EQ(schema.steps[0].kind, "scale");
  EXPECT_EQ(schema.steps[0].columns, schema.features);
  EXPECT_THAT(schema.steps[0].numbers,
              ElementsAre(DoubleNear(5.865833333333334, 1e-15), DoubleNear(3.055, 1e-15),
                          DoubleNear(3.77, 1e-15), DoubleNear(1.205, 1e-15),
                          DoubleNear(0.8483804014447502, 1e-15), DoubleNear(0.437768964942316, 1e-15),
                          DoubleNear(1.7795879672928039, 1e-15), DoubleNear(0.7555185856968267, 1e-15)));
}

TEST(FormatVersion1, ADatasetIsReadAndItsScalesAreAStep) {
  const DatasetReader reader(MPI_COMM_WORLD, files / "iris_version_1.dataset.h5");
  expect_the_schema_of_iris(reader.schema());
  EXPECT_EQ(reader.rows(Part::train), 120U);
  std::vector<double> features(4), target(1);
  reader.read(Part::test, {0, 1}, features, target);
  const auto& numbers = reader.schema().steps[0].numbers;
  EXPECT_NEAR(features[0] * numbers[4] + numbers[0], 5.0, 1e-14);
}

TEST(FormatVersion1, AModelIsReadAndItsHeaderIsVerified) {
  const Model model = read_model(MPI_COMM_WORLD, files / "iris_softmax_version_1.model.h5");
  EXPECT_EQ(model.type, "softmax");
  expect_the_schema_of_iris(model.schema);
  EXPECT_FALSE(model.parameters.empty());
}

class FormatVersions : public kernmill::testing::SharedDirectory {
 protected:
  std::filesystem::path file() const { return directory / "some.h5"; }
  /// A dataset of no rows.
  void write_dataset(const std::string& weight) const {
    Schema schema;
    schema.features = {"width"};
    schema.inputs = numbers_named(schema.features);
    schema.weight = weight;
    DatasetWriter(MPI_COMM_WORLD, file(), schema, {}).commit();
  }
  /// What a reader says of it that knows the versions up to `newest`.
  [[nodiscard]] std::string refusal_by(std::uint64_t newest) const {
    return message_of<Error>(
        [&] { open_sealed_file(file(), file(), "kernmill-dataset", std::nullopt, newest); });
  }
  /// A file that says of itself that it is of this version, and is nothing more.
  void write_empty(const std::string& format, std::uint64_t version) const {
    const auto none = [](const hdf5::File&) {};
    from_root(MPI_COMM_WORLD, [&] {
      make_sealed_file(file(), file(), {format, {}, none, none, version}, std::nullopt);
      return 0;
    });
  }
};

TEST_F(FormatVersions, WeightsAloneMakeADatasetOneOfVersion4) {
  write_dataset("");
  EXPECT_EQ(refusal_by(3), "");
  EXPECT_THAT(refusal_by(2), HasSubstr("has format version 3"));
}

TEST_F(FormatVersions, WhoKnowsNothingOfWeightsRefusesADatasetThatHasThem) {
  write_dataset("heft");
  EXPECT_EQ(refusal_by(4), "");
  EXPECT_THAT(refusal_by(3), HasSubstr("has format version 4; of a kernmill-dataset this program reads "
                                       "versions 1 to 3. A newer Kernmill wrote it"));
}

TEST_F(FormatVersions, AFileFromTheFutureIsRefusedWithAWayOut) {
  write_empty("kernmill-dataset", 5);
  EXPECT_THAT(
      message_of<Error>([&] { DatasetReader(MPI_COMM_WORLD, file()); }),
      AllOf(HasSubstr("some.h5: has format version 5; of a kernmill-dataset this program reads "
                      "versions 1 to 4. "),
            EndsWith("A newer Kernmill wrote it: read it with that one, or make it anew with this one")));
}

TEST_F(FormatVersions, AModelOfADatasetsLaterVersionIsFromTheFutureToo) {
  write_empty("kernmill-model", 4);
  EXPECT_THAT(message_of<Error>([&] { read_model(MPI_COMM_WORLD, file()); }),
              HasSubstr("has format version 4; of a kernmill-model this program reads versions 1 to 3. "));
}

}  // namespace
}  // namespace kernmill::storage
