#include <cmath>

#include <gmock/gmock.h>

#include "data_fixture.hpp"

/// The files of Debian's dataset-fashion-mnist, as they are.
namespace kernmill::tasks {
namespace {

using ::testing::Each;

const std::filesystem::path place = "/usr/share/datasets/fashion-mnist";

class FashionMnist : public Preprocessing {
 protected:
  void SetUp() override {
    Preprocessing::SetUp();
    if (!std::filesystem::exists(place)) GTEST_SKIP() << "the package dataset-fashion-mnist is not installed";
  }
  Result run_files(const std::string& which) {
    Spec spec;
    spec.config = kernmill::testing::preprocess_settings(
        {{"target", target("label")}, {"split", folds(60'000, 59'999)}});
    spec.inputs["input"] = place / (which + "-images-idx3-ubyte.gz");
    spec.inputs["labels"] = place / (which + "-labels-idx1-ubyte.gz");
    spec.output_directory = directory;
    return run_preprocess(spec, comm);
  }
};

// 70,000 images of 28 x 28, 10 classes of as many each; in 0 to 1 their mean is 0.2860 and their standard
// deviation 0.3530, as everybody normalises them by.
TEST_F(FashionMnist, IsReadFromItsCompressedFiles) {
  const Result result = run_files("train");
  EXPECT_EQ(result.metrics["rows"], 60'000);
  EXPECT_EQ(result.metrics["features"], 784);
  const auto reader = dataset();
  const Rows rows = rows_of(reader, storage::Part::train);
  std::vector<int> counts(10);
  for (const double label : rows.target) ++counts.at(static_cast<std::size_t>(label));
  ++counts.at(static_cast<std::size_t>(rows_of(reader, storage::Part::test).target.at(0)));
  EXPECT_THAT(counts, Each(6000));
  double sum = 0, squares = 0;
  for (const double pixel : rows.features) {
    sum += pixel / 255;
    squares += pixel / 255 * pixel / 255;
  }
  const double mean = sum / static_cast<double>(rows.features.size());
  EXPECT_NEAR(mean, 0.2860, 5e-5);
  EXPECT_NEAR(std::sqrt(squares / static_cast<double>(rows.features.size()) - mean * mean), 0.3530, 5e-5);
}

}  // namespace
}  // namespace kernmill::tasks
