#include <gmock/gmock.h>

#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/storage/model/model.hpp"

/// Files that Kernmill 0.1 wrote of iris.csv (every fifth row to test, standardised) in format version 1.
namespace kernmill::storage {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::SizeIs;

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

}  // namespace
}  // namespace kernmill::storage
