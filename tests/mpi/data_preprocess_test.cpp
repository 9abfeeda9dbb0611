#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>

#include "data_fixture.hpp"

namespace kernmill::tasks {
namespace {

using storage::Part;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::StartsWith;

const std::filesystem::path data = KERNMILL_TEST_DATA;

class Preprocess : public Preprocessing {
 protected:
  static Rows read_all(const storage::DatasetReader& reader, Part part) { return rows_of(reader, part); }
};

// The figures are exact rational arithmetic's, rounded once (Python's fractions and decimal):
//   rows = [r for i, r in enumerate(csv.reader(open("iris.csv"))) if i > 0 and (i - 1) % 5 != 4]
//   x = [Fraction(float(r[c])) for r in rows]; mean = sum(x) / 120; variance = sum((v - mean) ** 2 for v in
//   x) / 120
TEST_F(Preprocess, IrisIsScaledByItsTrainingRowsAlone) {
  const Result result =
      run(data / "iris.csv", {{"target", target("species")}, {"split", folds(5, 4)}, {"scale", "standard"}});
  EXPECT_EQ(result.metrics.dump(), R"({"rows":150,"features":4,"classes":3,"train_rows":120,)"
                                   R"("validation_rows":0,"test_rows":30})");
  const auto reader = dataset();
  const storage::Schema& schema = reader.schema();
  EXPECT_THAT(schema.classes, ElementsAre("setosa", "versicolor", "virginica"));
  EXPECT_THAT(schema.steps.at(0).numbers,
              ElementsAre(DoubleNear(5.865833333333334, 1e-15), DoubleNear(3.055, 1e-15),
                          DoubleNear(3.77, 1e-15), DoubleNear(1.205, 1e-15),
                          DoubleNear(0.8483804014447502, 1e-15), DoubleNear(0.437768964942316, 1e-15),
                          DoubleNear(1.7795879672928039, 1e-15), DoubleNear(0.7555185856968267, 1e-15)));
  const Rows test = read_all(reader, Part::test);
  EXPECT_EQ(test.numbers.at(0), 4U);
  EXPECT_EQ(test.numbers.at(29), 149U);
  EXPECT_DOUBLE_EQ(test.features.at(0) * schema.steps[0].numbers[4] + schema.steps[0].numbers[0], 5.0);
  EXPECT_EQ(std::reduce(test.target.begin(), test.target.end()), 30.0);  // 10 of each of 0, 1, 2
}

TEST_F(Preprocess, ADatasetSaysWhatMadeItAndOfWhat) {
  run(data / "iris.csv", {{"target", target("species")}, {"scale", "standard"}, {"buffer", 1 << 20}});
  const Json provenance = Json::parse(dataset().provenance());
  EXPECT_THAT(provenance.at("program").get<std::string>(), StartsWith("kernmill-task "));
  EXPECT_EQ(provenance.at("source"), "iris.csv");
  EXPECT_EQ(provenance.at("rows"), 150);
  EXPECT_EQ(provenance.at("settings").at("scale"), "standard");
  EXPECT_FALSE(provenance.at("settings").contains("buffer"));  // it changes no number
}

TEST_F(Preprocess, EveryNumberOfRanksWritesTheSameBytes) {
  const Json changes = {
      {"target", target("digit")}, {"split", random_split(0.2, 0.1, true, 7)}, {"scale", "standard"}};
  run(data / "digits.csv", changes);
  const std::string together = content(directory / "dataset.h5");
  MPI_Barrier(comm.handle());
  if (comm.is_root()) {
    Spec spec;
    spec.config = defaults();
    spec.config.update(changes);
    spec.inputs["input"] = data / "digits.csv";
    spec.output_directory = directory;
    run_preprocess(spec, Communicator(MPI_COMM_SELF));
    EXPECT_TRUE(content(directory / "dataset.h5") == together) << "one rank writes another file";
  }
}

TEST_F(Preprocess, EuStockMarketsHas1849WindowsAnd278OfThemToTest) {
  const Result result =
      run(data / "eustockmarkets.csv",
          {{"series", series("log_return", 10, 1)},
           {"split", {{"type", "chronological"}, {"train", 0.7}, {"validation", 0.15}, {"test", 0.15}}}});
  EXPECT_EQ(result.metrics["rows"], 1849);
  EXPECT_EQ(result.metrics["features"], 40);
  EXPECT_EQ(result.metrics["test_rows"], 278);
  const auto reader = dataset();
  const Rows train = read_all(reader, Part::train);
  // The first window: returns of rows 1 to 10; its target: that of row 11. DAX begins 1628.75, 1613.63,
  // 1606.51.
  EXPECT_DOUBLE_EQ(train.features.at(0), std::log(1613.63 / 1628.75));
  EXPECT_DOUBLE_EQ(train.features.at(4), std::log(1606.51 / 1613.63));
  EXPECT_EQ(train.numbers.at(0), 11U);
  std::vector<double> before(278 * 4), at(278 * 4);
  reader.read_levels(Part::test, {0, 278}, before, at);
  const Rows test = read_all(reader, Part::test);
  double squares = 0;
  for (std::size_t i = 0; i < 278; ++i) {
    EXPECT_NEAR(before[4 * i] * std::exp(test.target[4 * i]), at[4 * i], 1e-9);
    squares += (at[4 * i] - before[4 * i]) * (at[4 * i] - before[4 * i]);
  }
  EXPECT_NEAR(std::sqrt(squares / 278), 67.865, 5e-4);  // persistence on DAX, facts of the data set
}

TEST_F(Preprocess, ASeriesAcrossShortRanksLosesNoWindow) {
  const Result result =
      run_text("x,y\n1,10\n2,20\n4,40\n8,80\n16,160\n", {{"series", series("difference", 2, 2, {"x"})}});
  EXPECT_EQ(result.metrics["rows"], 1);  // rows 0..2 for two changes, the target two rows later
  const auto reader = dataset();
  const Rows rows = read_all(reader, Part::train);
  EXPECT_THAT(rows.features, ElementsAre(1, 2));
  EXPECT_THAT(rows.target, ElementsAre(12));  // 16 - 4: over the whole horizon
  EXPECT_THAT(reader.schema().features, ElementsAre("x[-1]", "x[0]"));
}

TEST_F(Preprocess, AStratifiedSplitTakesItsShareOfEachClass) {
  std::string csv = "x,kind\n";
  for (int i = 0; i < 60; ++i) csv += std::to_string(i) + (i % 6 == 0 ? ",rare\n" : ",common\n");
  run_text(csv, {{"target", target("kind")}, {"split", random_split(0.3, 0.1, true, 1)}});
  const auto reader = dataset();
  EXPECT_EQ(reader.rows(Part::test), 18U);
  EXPECT_EQ(reader.rows(Part::validation), 6U);
  const Rows test = read_all(reader, Part::test);
  EXPECT_EQ(std::count(test.target.begin(), test.target.end(), 1.0), 3);  // "rare" sorts behind "common"
  const Rows train = read_all(reader, Part::train), validation = read_all(reader, Part::validation);
  std::vector<std::uint64_t> all = train.numbers;
  all.insert(all.end(), test.numbers.begin(), test.numbers.end());
  all.insert(all.end(), validation.numbers.begin(), validation.numbers.end());
  std::sort(all.begin(), all.end());
  std::vector<std::uint64_t> expected(60);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(all, expected);
}

TEST_F(Preprocess, MoreRanksThanRowsIsFine) {
  const Result result = run_text("x,kind\n1,a\n2,b", {{"target", target("kind")}, {"scale", "standard"}});
  EXPECT_EQ(result.metrics["train_rows"], 2);
  EXPECT_THAT(read_all(dataset(), Part::train).features, ElementsAre(-1, 1));
}

TEST_F(Preprocess, AConstantColumnIsScaledByOne) {
  run_text("x,y\n0.1,1\n0.1,2\n0.1,4\n", {{"scale", "standard"}});
  const auto reader = dataset();
  EXPECT_EQ(reader.schema().steps.at(0).numbers.at(0), 0.1);
  EXPECT_EQ(reader.schema().steps.at(0).numbers.at(2), 1.0);
  EXPECT_EQ(read_all(reader, Part::train).features.at(0), 0.0);
}

TEST_F(Preprocess, WholeNumbersAreClassesInTheirOwnOrder) {
  run_text("x,y\n0,10\n0,9\n0,1.0\n0,1\n", {{"target", target("y")}});
  const auto reader = dataset();
  EXPECT_THAT(reader.schema().classes, ElementsAre("1", "9", "10"));
  EXPECT_THAT(read_all(reader, Part::train).target, ElementsAre(2, 1, 0, 0));
}

TEST_F(Preprocess, FractionsAreNumbersAndSoIsWhateverIsSaidToBe) {
  run_text("x,y\n0,10\n0,9.5\n", {{"target", target("y")}});
  EXPECT_EQ(dataset().schema().target_kind, storage::TargetKind::numbers);
  run_text("x,y\n0,10\n0,9\n", {{"target", target("y", "number")}});
  EXPECT_EQ(dataset().schema().target_kind, storage::TargetKind::numbers);
  EXPECT_THAT(read_all(dataset(), Part::train).target, ElementsAre(10, 9));
}

TEST_F(Preprocess, ColumnsAreChosenDroppedAndNamed) {
  run_text("a;b;c;d\n1;2;3;4\n", {{"delimiter", ";"}, {"drop", {"b"}}});
  EXPECT_THAT(dataset().schema().features, ElementsAre("a", "c", "d"));
  run_text("a,b,c\n1,2,3\n", {{"features", {"c", "a"}}});
  EXPECT_THAT(read_all(dataset(), Part::train).features, ElementsAre(3, 1));
  run_text("1,2\n3,4\n", {{"header", false}, {"target", target("c1", "number")}});
  EXPECT_THAT(read_all(dataset(), Part::train).features, ElementsAre(1, 3));
}

}  // namespace
}  // namespace kernmill::tasks
