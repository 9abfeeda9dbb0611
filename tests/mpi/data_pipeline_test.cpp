#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "deploying_fixture.hpp"
#include "reference_transformers.hpp"

/// Imputing, encoding and scaling, against scikit-learn and end to end.
namespace kernmill::tasks {
namespace {

using storage::Part;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void expect_close(const std::vector<double>& actual, const std::vector<double>& expected,
                  const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (std::size_t i = 0; i < actual.size(); ++i)
    EXPECT_NEAR(actual[i], expected[i], 1e-12 * std::max(1.0, std::abs(expected[i])))
        << what << ", number " << i;
}

class Pipeline : public Deploying {
 protected:
  static std::string csv_of(const std::vector<double>& numbers, std::size_t columns) {
    std::string csv = "a,b,c\n";
    for (std::size_t i = 0; i < numbers.size(); ++i)
      csv += (std::isnan(numbers[i]) ? "" : fmt::format("{}", numbers[i])) +
             (i % columns + 1 == columns ? "\n" : ",");
    return csv;
  }
  static std::string csv_of(const std::vector<std::string>& texts) {
    std::string csv = "x,color\n";
    for (const auto& text : texts) csv += "1," + (text.empty() ? "NA" : text) + "\n";
    return csv;
  }
  std::vector<double> train_features() { return rows_of(dataset(), Part::train).features; }
};

TEST_F(Pipeline, ImputesAndScalesAsScikitLearnDoes) {
  const std::string csv = csv_of(reference::numbers, 3);
  const std::vector<std::tuple<std::string, std::string, const std::vector<double>*>> cases{
      {"mean", "none", &reference::imputed_mean},
      {"mean", "standard", &reference::mean_standard},
      {"mean", "min_max", &reference::mean_min_max},
      {"mean", "robust", &reference::mean_robust},
      {"median", "none", &reference::imputed_median},
      {"median", "standard", &reference::median_standard},
      {"median", "min_max", &reference::median_min_max},
      {"median", "robust", &reference::median_robust},
      {"most_frequent", "none", &reference::imputed_most_frequent},
      {"most_frequent", "standard", &reference::most_frequent_standard},
      {"most_frequent", "robust", &reference::most_frequent_robust}};
  for (const auto& [strategy, scale, expected] : cases) {
    run_text(csv, {{"impute", impute(strategy)}, {"scale", scale}});
    expect_close(train_features(), *expected, strategy + ", " + scale);
  }
}

TEST_F(Pipeline, AddsIndicatorsOfMissingValuesBehindTheFeatures) {
  run_text(csv_of(reference::numbers, 3), {{"impute", impute("mean", "", true)}});
  EXPECT_THAT(dataset().schema().features, ElementsAre("a", "b", "c", "a missing", "b missing", "c missing"));
  const auto features = train_features();
  std::vector<double> indicators;
  for (std::size_t i = 0; i < features.size(); ++i)
    if (i % 6 >= 3) indicators.push_back(features[i]);
  EXPECT_EQ(indicators, reference::indicator);
}

TEST_F(Pipeline, EncodesCategoriesAsScikitLearnDoes) {
  const std::string csv = csv_of(reference::categories);
  const Json columns = {{"color", {{"impute", impute("most_frequent")}}}};
  run_text(csv, {{"drop", {"x"}}, {"encode", encode("one_hot")}, {"columns", columns}});
  EXPECT_THAT(dataset().schema().features,
              ElementsAre("color=a b", "color=blue", "color=green", "color=red"));
  EXPECT_EQ(train_features(), reference::one_hot);
  run_text(csv, {{"drop", {"x"}}, {"encode", encode("ordinal")}, {"columns", columns}});
  EXPECT_EQ(train_features(), reference::ordinal);
}

TEST_F(Pipeline, KeepsWhatTheColumnsWereLike) {
  run_text(csv_of(reference::numbers, 3), {{"impute", impute("mean")}});
  const auto inputs = dataset().schema().inputs;
  ASSERT_EQ(inputs.size(), 3U);
  EXPECT_EQ(inputs[0].missing, 4U);
  EXPECT_EQ(inputs[1].missing, 2U);
  double lowest = INFINITY, highest = -INFINITY;
  for (std::size_t i = 1; i < reference::numbers.size(); i += 3) {
    lowest = std::fmin(lowest, reference::numbers[i]);
    highest = std::fmax(highest, reference::numbers[i]);
  }
  EXPECT_EQ(inputs[1].lowest, lowest);
  EXPECT_EQ(inputs[1].highest, highest);
}

TEST_F(Pipeline, TreatsColumnsDifferentlyWhereItIsTold) {
  run_text("age,city,zip,y\n20,Bonn,1,0\n,Ulm,2,1\n40,Bonn,1,0\n",
           {{"target", target("y")},
            {"encode", encode("one_hot")},
            {"columns",
             {{"age", {{"impute", impute("constant", "30")}, {"scale", "min_max"}, {"rename", "years"}}},
              {"zip", {{"type", "category"}, {"encode", encode("ordinal")}}}}}});
  EXPECT_THAT(dataset().schema().features, ElementsAre("years", "city=Bonn", "city=Ulm", "zip"));
  EXPECT_THAT(train_features(), ElementsAre(0, 1, 0, 0, 0.5, 0, 1, 1, 1, 1, 0, 0));
}

TEST_F(Pipeline, FitsOnTheTrainingRowsAlone) {
  run_text("x,y\n1,1\n100,1\n3,1\n,1\n",
           {{"split", folds(2, 1)}, {"impute", impute("mean")}, {"scale", "min_max"}});
  EXPECT_THAT(rows_of(dataset(), Part::train).features, ElementsAre(0, 0, 1, 0));
  EXPECT_THAT(rows_of(dataset(), Part::test).features, ElementsAre(49.5, 0, 0.5, 0));
}

TEST_F(Pipeline, NamesACategoryThatNoTrainingRowHas) {
  const std::string csv = "x,city\n1,Bonn\n2,Ulm\n3,Bonn\n4,Ulm\n5,Bonn\n6,Rom\n";
  Json changes = {{"split", folds(2, 1)}, {"encode", encode("one_hot")}};
  EXPECT_EQ(failure([&] { run_text(csv, changes); }),
            "'Ulm' in column 'city' is a category that no training row has @ input.csv:3:3");
  changes["encode"] = encode("one_hot", "ignore");
  run_text(csv, changes);
  EXPECT_THAT(rows_of(dataset(), Part::test).features, ElementsAre(2, 0, 4, 0, 6, 0));
  changes["encode"] = encode("ordinal", "ignore");
  run_text(csv, changes);
  EXPECT_THAT(rows_of(dataset(), Part::test).features, ElementsAre(2, -1, 4, -1, 6, -1));
}

TEST_F(Pipeline, SaysWhatIsWrongWithAColumn) {
  EXPECT_THAT(failure([&] {
                run_text("x,y\n,1\n,2\n", {{"impute", impute("mean")}});
              }),
              HasSubstr("column 'x' has no value in any training row"));
  EXPECT_THAT(failure([&] {
                run_text("x\n1\n", {{"impute", impute("constant", "none")}});
              }),
              HasSubstr("the constant 'none' for column 'x' is not a number"));
  EXPECT_EQ(failure([&] {
              run_text("x,y\n1,2\nfour,\n", {{"impute", impute("mean")}});
            }),
            "'four' in column 'x' is not a number @ input.csv:3:1");
  EXPECT_EQ(failure([&] {
              run_text("x,c\n1,a\n2,\n", {{"encode", encode("one_hot")}});
            }),
            "'' in column 'c' is empty @ input.csv:3:3");
  std::string identifiers = "id,x\n";
  for (int i = 0; i < 10'001; ++i) identifiers += fmt::format("user {},1\n", i);
  EXPECT_THAT(failure([&] {
                run_text(identifiers, {{"encode", encode("one_hot")}});
              }),
              HasSubstr("column 'id' has 10001 categories"));
}

TEST_F(Pipeline, DeploysWhatItFitted) {
  const std::string csv = "age,city\n20,Bonn\n,Ulm\n41,Bonn\n35,\n7,Ulm\n";
  run_text(csv, {{"impute", impute("median")}, {"encode", encode("one_hot", "ignore")}, {"scale", "robust"}});
  storage::Schema schema = schema_of_features();
  const std::vector<double> expected = train_features();
  const std::string file = "city,id,age\nBonn,1,20\nUlm,2,\nBonn,3,41\n,4,35\nUlm,5,7\nRom,6,NA\n";
  deploy_file("new.csv", file, schema);
  std::string lines = "row";
  for (const auto& name : schema.features) lines += ",prediction_" + name;
  for (std::size_t i = 0; i < expected.size(); ++i)
    lines += (i % 3 == 0 ? fmt::format("\n{}", i / 3) : "") + fmt::format(",{}", expected[i]);
  EXPECT_EQ(content(directory / "predictions.csv"), lines + fmt::format("\n5,{},0,0\n", expected[3]));

  schema.steps.at(2).numbers = {0};  // the one-hot step: unknown categories are errors
  EXPECT_EQ(failure([&] { deploy_file("new.csv", file, schema); }),
            "'Rom' in column 'city' is none of the categories that the model knows @ new.csv:7:1");
}

TEST_F(Pipeline, LeavesBadRowsOutAndListsThem) {
  const Result result =
      run_text("x,y\n1,a\nbad,b\n3,b\n4\n5,\n6,a\n", {{"target", target("y")}, {"on_bad_row", "skip"}});
  EXPECT_EQ(result.metrics["rows"], 3);
  EXPECT_EQ(result.metrics["rejected"], 3);
  EXPECT_EQ(rows_of(dataset(), Part::train).numbers, (std::vector<std::uint64_t>{0, 2, 5}));
  EXPECT_EQ(
      content(directory / "rejected.csv"),
      "row,line,column,field,value,reason\n1,3,1,x,bad,is not a number\n3,5,1,,,\"has 1 fields, not 2\"\n"
      "4,6,3,y,,is empty\n");
}

TEST_F(Pipeline, TakesBadValuesForMissingOnes) {
  const Result result =
      run_text("x,y\n1,a\nbad,b\n3,b\n",
               {{"target", target("y")}, {"on_bad_row", "impute"}, {"impute", impute("mean")}});
  EXPECT_EQ(result.metrics["imputed"], 1);
  EXPECT_THAT(train_features(), ElementsAre(1, 2, 3));
}

TEST_F(Pipeline, LagsPickRowsOfAWindow) {
  run_text("x\n1\n2\n4\n8\n16\n32\n", {{"series", series("difference", 1, 1, Json::array(), {0, 2})}});
  EXPECT_THAT(dataset().schema().features, ElementsAre("x[-2]", "x[0]"));
  EXPECT_THAT(rows_of(dataset(), Part::train).features, ElementsAre(1, 4, 2, 8));
  EXPECT_THAT(rows_of(dataset(), Part::train).target, ElementsAre(8, 16));
}

}  // namespace
}  // namespace kernmill::tasks
