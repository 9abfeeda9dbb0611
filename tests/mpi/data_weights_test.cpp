#include <gmock/gmock.h>

#include "data_fixture.hpp"

namespace kernmill::tasks {
namespace {

using storage::Part;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RowWeights : public Preprocessing {
 protected:
  static std::vector<double> weights_of(const storage::DatasetReader& reader, Part part) {
    std::vector<double> weights(reader.rows(part));
    reader.read_weights(part, storage::IndexRange{0, weights.size()}, weights);
    return weights;
  }
};

TEST_F(RowWeights, StandBesideTheRowsOfEachPart) {
  run_text("a,w,y\n1,0.5,p\n2,2,q\n3,0,p\n4,1e-3,q\n5,7,p\n",
           {{"target", target("y")}, {"sample_weight", "w"}, {"split", folds(5, 4)}});
  const auto reader = dataset();
  EXPECT_EQ(reader.schema().weight, "w");
  EXPECT_THAT(reader.schema().features, ElementsAre("a"));
  EXPECT_THAT(reader.schema().left_out, ElementsAre("w"));
  EXPECT_THAT(weights_of(reader, Part::train), ElementsAre(0.5, 2, 0, 1e-3));
  EXPECT_THAT(weights_of(reader, Part::test), ElementsAre(7));
}

TEST_F(RowWeights, FollowTheirRowsWhenTheseAreShuffledOrRepeated) {
  std::string text = "w,a,g,y\n";
  for (int i = 0; i < 40; ++i) text += fmt::format("{},{},{},{}\n", i, i, i % 7, i % 4 == 0 ? "few" : "many");
  for (const char* balance : {"none", "oversample"}) {
    run_text(text, {{"target", target("y")},
                    {"sample_weight", "w"},
                    {"features", {"a"}},
                    {"split", random_split(0.2, 0.2, false, 1, "g")},
                    {"shuffle", true},
                    {"balance", balance}});
    const auto reader = dataset();
    for (const Part part : storage::all_parts)
      EXPECT_EQ(weights_of(reader, part), rows_of(reader, part).features) << balance;
  }
}

TEST_F(RowWeights, ThatAreNoneAreToldWithTheirPlace) {
  const auto told = [&](const std::string& cell) {
    return failure([&] {
      run_text("a,w,y\n1,1,p\n2," + cell + ",q\n", {{"target", target("y")}, {"sample_weight", "w"}});
    });
  };
  EXPECT_EQ(told("-1"), "'-1' in column 'w' is negative, and a row's weight may not be @ input.csv:3:3");
  EXPECT_EQ(told("-0.25"),
            "'-0.25' in column 'w' is negative, and a row's weight may not be @ input.csv:3:3");
  EXPECT_EQ(told("heavy"), "'heavy' in column 'w' is not a number @ input.csv:3:3");
  EXPECT_EQ(told("inf"), "'inf' in column 'w' is not a finite number @ input.csv:3:3");
  EXPECT_EQ(told("nan"), "'nan' in column 'w' is not a finite number @ input.csv:3:3");
  EXPECT_THAT(told(""), HasSubstr("in column 'w' is empty @ input.csv:3:3"));
}

// A missing feature may be filled in; nobody can say what a row should weigh.
TEST_F(RowWeights, AreNotImputed) {
  EXPECT_THAT(failure([&] {
                run_text("a,w\n1,1\n,\n",
                         {{"sample_weight", "w"}, {"impute", impute("mean")}, {"on_bad_row", "impute"}});
              }),
              HasSubstr("in column 'w'"));
  const Result result = run_text("a,w\n1,1\n2,-1\n3,1\n", {{"sample_weight", "w"}, {"on_bad_row", "skip"}});
  EXPECT_EQ(result.metrics.at("rejected"), 1);
}

TEST_F(RowWeights, ThatAreZeroInEveryTrainingRowAreAnError) {
  EXPECT_EQ(failure([&] {
              run_text("a,w\n1,0\n2,0\n3,5\n", {{"sample_weight", "w"}, {"split", folds(3, 2)}});
            }),
            "the weight 'w' of every training row is 0: there is nothing to learn from @ ");
}

TEST_F(RowWeights, AreNoFeatureAndNoTarget) {
  EXPECT_THAT(failure([&] {
                run_text("a,w\n1,1\n", {{"sample_weight", "w"}, {"features", {"a", "w"}}});
              }),
              HasSubstr("'w' is both the rows' weight and a feature"));
  EXPECT_THAT(failure([&] {
                run_text("a,w\n1,1\n", {{"sample_weight", "w"}, {"target", target("w")}});
              }),
              HasSubstr("'w' is both the target and the rows' weight"));
  EXPECT_THAT(failure([&] {
                run_text("a,w\n1,1\n", {{"sample_weight", "v"}});
              }),
              HasSubstr("has no column 'v' (the rows' weight)"));
}

TEST_F(RowWeights, DoNotGoWithSeriesAndSparseRows) {
  EXPECT_THAT(failure([&] {
                run_text("a,w\n1,1\n2,1\n3,1\n", {{"sample_weight", "w"}, {"series", series("none", 1, 1)}});
              }),
              HasSubstr("a window of a series is of many rows"));
  put_bytes("rows.svm", "1 1:1 2:2\n0 2:1\n");
  EXPECT_THAT(failure([&] {
                run(directory / "rows.svm",
                    {{"target", target("label")}, {"sample_weight", "f2"}, {"sparse", "true"}});
              }),
              HasSubstr("`sample_weight` needs rows that hold every number"));
  run(directory / "rows.svm", {{"target", target("label")}, {"sample_weight", "f2"}, {"sparse", "false"}});
  EXPECT_THAT(weights_of(dataset(), Part::train), ElementsAre(2, 1));
}

}  // namespace
}  // namespace kernmill::tasks
