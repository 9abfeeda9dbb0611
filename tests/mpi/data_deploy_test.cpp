#include <cmath>

#include <gmock/gmock.h>

#include "data_fixture.hpp"
#include "kernmill/storage/file/durable.hpp"
#include "kernmill/tasks/kinds/deploy.hpp"
#include "scorer.hpp"

namespace kernmill::tasks {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Deploying with a scorer that can be worked out by hand: score 0 is 0, score 1 is the scaled x minus the
/// scaled y.
class Deploy : public Preprocessing {
 protected:
  storage::Schema schema;
  Scorer scorer{[](auto features, auto rows, auto scores) {
                  for (std::uint64_t i = 0; i < rows; ++i) {
                    scores[2 * i] = 0;
                    scores[2 * i + 1] = features[2 * i] - features[2 * i + 1];
                  }
                },
                2, true};
  std::string on_bad_row = "error";
  bool probabilities = false;

  void SetUp() override {
    Preprocessing::SetUp();
    schema.features = {"x", "y"};
    schema.inputs = storage::numbers_named(schema.features);
    schema.steps = {{"scale", {"x", "y"}, {1, 0, 2, 1}, {}}};
    schema.target_kind = storage::TargetKind::classes;
    schema.classes = {"no", "yes, \"sure\""};
  }
  Result deploy_text(const std::string& csv) {
    put(directory / "input.csv", csv);
    Spec spec;
    spec.config = {{"format", "auto"},     {"delimiter", "auto"},           {"decimal", "."},
                   {"header", true},       {"datasets", Json::array()},     {"external_files", false},
                   {"max_expansion", 100}, {"missing", Json::array()},      {"on_bad_row", on_bad_row},
                   {"buffer", 1U << 29U},  {"probabilities", probabilities}};
    spec.inputs["input"] = directory / "input.csv";
    spec.output_directory = directory;
    return deploy(spec, comm, schema, scorer);
  }
  std::string predictions() { return content(directory / "predictions.csv"); }
};

TEST_F(Deploy, PredictsInTheOrderOfTheInputWithColumnsFoundByName) {
  const Result result = deploy_text("note,y,x\na,0,3\nb,5,3\nc,-1,1\n");  // scaled x: 1, 1, 0
  EXPECT_EQ(predictions(), "row,prediction\n0,\"yes, \"\"sure\"\"\"\n1,no\n2,\"yes, \"\"sure\"\"\"\n");
  EXPECT_EQ(result.metrics.dump(), R"({"rows":3,"rejected":0})");
  EXPECT_EQ(result.artifacts.dump(), R"({"predictions":"predictions.csv"})");
}

TEST_F(Deploy, WritesTheSameForAnyNumberOfRanks) {
  std::string csv = "x,y\n", expected = "row,prediction\n";
  for (int i = 0; i < 10000; ++i) {
    csv += std::to_string(i % 7) + "," + std::to_string(i % 3) + "\n";
    const bool yes = (i % 7 - 1) / 2.0 > i % 3;
    expected += std::to_string(i) + (yes ? ",\"yes, \"\"sure\"\"\"\n" : ",no\n");
  }
  deploy_text(csv);
  EXPECT_TRUE(predictions() == expected);
}

TEST_F(Deploy, AddsProbabilitiesWhereThereAreSome) {
  probabilities = true;
  deploy_text("x,y\n2,0\n");
  EXPECT_EQ(predictions(), "row,prediction,p_no,\"p_yes, \"\"sure\"\"\"\n0,\"yes, \"\"sure\"\"\",0,0.5\n");
  scorer.is_probable = false;
  EXPECT_THAT(failure([&] { deploy_text("x,y\n2,0\n"); }), HasSubstr("gives no probabilities"));
}

TEST_F(Deploy, StopsAtABadRowAndLeavesNoPredictions) {
  EXPECT_EQ(failure([&] { deploy_text("x,y\n1,2\n3,four\n"); }),
            "'four' in column 'y' is not a number @ input.csv:3:3");
  EXPECT_THAT(names(), ElementsAre("input.csv"));
}

TEST_F(Deploy, SkipsBadRowsAndListsThem) {
  on_bad_row = "skip";
  const Result result = deploy_text("x,y\n3,0\n3,\"a,b\"\n1\n5,9\n");
  EXPECT_EQ(predictions(), "row,prediction\n0,\"yes, \"\"sure\"\"\"\n3,no\n");
  EXPECT_EQ(content(directory / "rejected.csv"),
            "row,line,column,field,value,reason\n1,3,3,y,\"a,b\",is not a number\n"
            "2,4,1,,,\"has 1 fields, not 2\"\n");
  EXPECT_EQ(result.metrics.dump(), R"({"rows":2,"rejected":2})");
}

TEST_F(Deploy, NamesAMissingColumnAndTheNearestOne) {
  schema.features = {"sepal_width", "y"};
  schema.inputs = storage::numbers_named(schema.features);
  try {
    deploy_text("sepal_widht,y\n1,2\n");
    FAIL() << "no error";
  } catch (const TaskError& e) {
    EXPECT_THAT(e.what(), HasSubstr("has no column 'sepal_width'"));
    EXPECT_THAT(e.help, HasSubstr("did you mean 'sepal_widht'?"));
  }
}

TEST_F(Deploy, ForecastsTheLevelBehindTheLastRowOfASeries) {
  schema = {};
  schema.series = {"log_return", 2, 3, {"p"}};
  schema.inputs = storage::numbers_named({"p"});
  schema.features = {"p[-1]", "p[0]"};
  schema.target_kind = storage::TargetKind::numbers;
  schema.target_names = {"p"};
  scorer = Scorer([](auto features, auto, auto scores) { scores[0] = features[0] + features[1]; });
  deploy_text("day,p\n1,100\n2,1\n3,2\n4,8\n");  // log 2 + log 4: eight times the last level
  const std::string text = predictions();
  ASSERT_TRUE(text.starts_with("row,prediction\n6,")) << text;
  EXPECT_NEAR(std::stod(text.substr(text.rfind(',') + 1)), 64, 1e-9);
}

TEST_F(Deploy, LeavesNothingWhenTheDiskFillsUp) {  // injected, on the last rank alone
  const int last = comm.size() - 1;
  storage::set_fault(
      [&](std::string_view step) { return comm.rank() == last && step == "write" ? ENOSPC : 0; });
  std::string csv = "x,y\n";
  for (int row = 0; row < 4 * comm.size(); ++row) csv += "1,2\n";
  EXPECT_THAT(failure([&] { deploy_text(csv); }), HasSubstr("No space left on device"));
  storage::set_fault({});
  EXPECT_THAT(names(), ElementsAre("input.csv"));
}

}  // namespace
}  // namespace kernmill::tasks
