// Axes that are read from something else than a list.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/plan/plan.hpp"
#include "temporary_directory.hpp"
#include "workflow_fixture.hpp"

namespace kernmill::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// A workflow of one stage in a folder with files.
class Axes : public ::testing::Test {
 protected:
  void file(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder.path() / name).parent_path());
    std::ofstream(folder.path() / name) << text;
  }
  Parsed parse_matrix(const std::string& matrix) const {
    Parsed parsed;
    const std::string path = (folder.path() / "flow.yaml").string();
    parsed.workflow = parse_workflow({path, "stages:\n  s: {run: 'true', matrix: " + matrix + "}\n"}, {},
                                     real_files(), parsed.diagnostics);
    return parsed;
  }
  /// The instances, each as JSON of its values as they were written.
  std::vector<std::string> instances(const std::string& matrix) const {
    Parsed parsed = parse_matrix(matrix);
    EXPECT_TRUE(parsed.diagnostics.all().empty()) << parsed.text();
    const Plan plan(std::move(parsed.workflow));
    std::vector<std::string> all;
    for (std::uint32_t i = 0; i < plan.instance_count(0); ++i)
      all.push_back(plan.written_values({0, i}).dump());
    return all;
  }
  std::string mistake(const std::string& matrix) const { return parse_matrix(matrix).text(); }

  TemporaryDirectory folder;
};

TEST_F(Axes, AGlobIsItsFilesByNameRelativeToTheWorkflow) {
  for (const char* name : {"data/b.csv", "data/a.csv", "data/.hidden.csv", "data/c.txt", "more/d.csv"})
    file(name, "");
  EXPECT_THAT(instances("{f: {glob: data/*.csv}}"),
              ElementsAre(R"({"f":"data/a.csv"})", R"({"f":"data/b.csv"})"));
  EXPECT_THAT(instances("{f: {glob: ['more/*', '*/c.txt']}}"),
              ElementsAre(R"({"f":"more/d.csv"})", R"({"f":"data/c.txt"})"));
  EXPECT_THAT(
      mistake("{f: {glob: data/*.h5}}"),
      AllOf(HasSubstr("flow.yaml:2:39: error: no file matches 'data/*.h5'"), HasSubstr("relative to the")));
}

TEST_F(Axes, WhatWasReadIsKeptWithItsDigest) {
  file("data/a.csv", "");
  file("p.csv", "x\n1\n");
  const Parsed parsed = parse_matrix("{f: {glob: data/*.csv}, p: {csv: p.csv}}");
  const Matrix& matrix = parsed.stage("s").matrix;
  ASSERT_THAT(matrix.sources, SizeIs(2));
  EXPECT_EQ(matrix.sources[1].path, "p.csv");
  EXPECT_THAT(matrix.sources[1].sha256, SizeIs(64));
  const Workflow again = workflow_from_json(to_json(parsed.workflow));
  EXPECT_EQ(again.stages[0].matrix.sources, matrix.sources);
}

TEST_F(Axes, ARangeIsCountedInDecimalsAsTheyAreWritten) {
  EXPECT_THAT(instances("{x: {range: [0, 0.3, 0.1]}}"),
              ElementsAre(R"({"x":"0.0"})", R"({"x":"0.1"})", R"({"x":"0.2"})"));
  EXPECT_THAT(instances("{x: {range: 3}}"), ElementsAre(R"({"x":0})", R"({"x":1})", R"({"x":2})"));
  EXPECT_THAT(instances("{x: {range: [5, -5, -4]}}"), ElementsAre(R"({"x":5})", R"({"x":1})", R"({"x":-3})"));
  EXPECT_THAT(instances("{x: {range: [1e-3, 3e-3, 1e-3]}}"),
              ElementsAre(R"({"x":"0.001"})", R"({"x":"0.002"})"));
  EXPECT_THAT(instances("{x: {range: [0, 1000, 0.1]}}"), SizeIs(10000));
  EXPECT_THAT(mistake("{x: {range: [0, 1, 0]}}"), HasSubstr("no steps of 0"));
  EXPECT_THAT(mistake("{x: {range: [1, 0]}}"), HasSubstr("is empty"));
  EXPECT_THAT(mistake("{x: {range: [0, 100000000]}}"), HasSubstr("has 100000000 numbers"));
  EXPECT_THAT(mistake("{x: {range: [0, a]}}"), HasSubstr("one to three numbers"));
  EXPECT_THAT(mistake("{x: {range: [0, 1e300]}}"), HasSubstr("too many digits"));
}

TEST_F(Axes, TheColumnsOfACsvFileGoTogetherAndAreCrossedWithOthers) {
  file("p.csv", "x,name,lr\n1,a,3.10\n2,\"7\",1e-3\n");
  EXPECT_THAT(
      instances("{p: {csv: p.csv}, k: [u, v]}"),
      ElementsAre(R"({"x":1,"name":"a","lr":"3.10","k":"u"})", R"({"x":1,"name":"a","lr":"3.10","k":"v"})",
                  R"({"x":2,"name":"7","lr":"1e-3","k":"u"})", R"({"x":2,"name":"7","lr":"1e-3","k":"v"})"));
  EXPECT_THAT(instances("{p: {csv: p.csv, columns: [lr, x]}, exclude: [{x: 1}]}"),
              ElementsAre(R"({"lr":"1e-3","x":2})"));
}

TEST_F(Axes, AMistakeInACsvFileIsShownThere) {
  file("p.csv", "x,y\n1,2\n3\n");
  EXPECT_THAT(mistake("{p: {csv: p.csv}}"),
              AllOf(HasSubstr("p.csv:3:1: error: this row has 1 field, and the first line has 2"),
                    HasSubstr("    3 | 3\n")));
  file("p.csv", "x,y\n1,\n");
  EXPECT_THAT(mistake("{p: {csv: p.csv}}"), HasSubstr("p.csv:2:3: error: 'y' has no value here"));
  file("p.csv", "x,a b\n1,2\n");
  EXPECT_THAT(mistake("{p: {csv: p.csv}}"), HasSubstr("p.csv:1:3: error: 'a b' cannot be the name"));
  EXPECT_THAT(mistake("{p: {csv: p.csv, columns: [xx]}}"), HasSubstr("did you mean 'x'?"));
  file("p.csv", "x,x\n1,2\n");
  EXPECT_THAT(mistake("{p: {csv: p.csv}}"), HasSubstr("the column 'x' is there twice"));
  file("p.csv", "x\n");
  EXPECT_THAT(mistake("{p: {csv: p.csv}}"), HasSubstr("'p.csv' has no row"));
  file("p.csv", "x\n\"1\n");
  EXPECT_THAT(mistake("{p: {csv: p.csv}}"), HasSubstr("p.csv:2:1: error"));
  EXPECT_THAT(mistake("{p: {csv: none.csv}}"), HasSubstr("flow.yaml:2:38: error: 'none.csv' cannot be read"));
}

TEST_F(Axes, ZippedAxesHaveAsManyValuesAsEachOther) {
  EXPECT_THAT(instances("{zip: {x: [1, 2], y: [a, b]}}"),
              ElementsAre(R"({"x":1,"y":"a"})", R"({"x":2,"y":"b"})"));
  EXPECT_THAT(instances("{one: {zip: {x: [1, 2], y: {range: 2}}}, two: {zip: {u: [5], v: [6]}}}"),
              ElementsAre(R"({"x":1,"y":0,"u":5,"v":6})", R"({"x":2,"y":1,"u":5,"v":6})"));
  EXPECT_THAT(mistake("{zip: {x: [1, 2], y: [a, b, c]}}"), HasSubstr("'y' has 3 values, and 'x' has 2"));
  EXPECT_THAT(mistake("{zip: {x: [1, 2], y: {from: a.b}}}"), HasSubstr("takes a list of values here"));
}

TEST_F(Axes, AnAxisHasOneSourceAndStandsOnce) {
  EXPECT_THAT(mistake("{x: {range: 3, glob: a}}"), HasSubstr("'range' and 'glob' exclude each other"));
  EXPECT_THAT(mistake("{x: {rang: 3}}"), HasSubstr("did you mean 'range'?"));
  EXPECT_THAT(mistake("{x: [1], p: {zip: {x: [2], y: [3]}}}"), HasSubstr("the axis 'x' is given twice"));
  EXPECT_THAT(mistake("{x: [1], p: {zip: {X: [2]}}}"), HasSubstr("share one variable"));
  EXPECT_THAT(mistake("{x: {range: 3, columns: [a]}}"), HasSubstr("'columns' belongs to"));
}

TEST(LaterAxes, WaitForTheStageThatLeavesThemAndForNothingElseOfIt) {
  const Parsed parsed = parse_good(R"(
stages:
  fit: {run: 'echo ${{ matrix.a }}', matrix: {k: [1, 2], p: {from: stages.split.points.csv, columns: [a, b]}}}
  split: {run: 'true', outputs: [points.csv]}
  both: {run: 'true', needs: split, matrix: {part: {from: split.points.csv}}}
)");
  const Stage& fit = parsed.stage("fit");
  EXPECT_THAT(fit.needs, ElementsAre("split"));
  EXPECT_THAT(fit.order_only, ElementsAre("split"));
  EXPECT_THAT(parsed.stage("both").order_only, SizeIs(0));
  ASSERT_THAT(fit.matrix.later, SizeIs(1));
  EXPECT_EQ(fit.matrix.later[0].name, "points.csv");
  EXPECT_TRUE(fit.matrix.undecided());
  const Workflow again = workflow_from_json(to_json(parsed.workflow));
  EXPECT_EQ(again.find("fit")->matrix.later, fit.matrix.later);
}

TEST(LaterAxes, AreOfOneInstanceThatIsThere) {
  const auto mistake = [](const std::string& from, const std::string& more = "") {
    return parse("stages:\n  fit: {run: 'true', matrix: {part: {from: " + from + "}}}\n" + more).text();
  };
  EXPECT_THAT(mistake("stages.spilt.parts", "  split: {run: 'true'}\n"), HasSubstr("did you mean 'split'?"));
  EXPECT_THAT(mistake("stages.fit.parts"), HasSubstr("depends on itself"));
  EXPECT_THAT(mistake("stages.split.parts", "  split: {run: 'true', matrix: {i: [1, 2]}}\n"),
              HasSubstr("stage 'split' has several instances"));
  EXPECT_THAT(mistake("stages.split", "  split: {run: 'true'}\n"), HasSubstr("which result of the stage"));
  EXPECT_THAT(mistake("p.dataset", "  p: {task: preprocess, input: iris.csv, target: species}\n"),
              HasSubstr("leaves no list 'dataset'"));
  EXPECT_THAT(mistake("stages.split.parts",
                      "  split: {run: 'true'}\n  one: {run: 'true', env: {A: '${{ "
                      "stages.fit.x }}'}}\n"),
              HasSubstr("stage 'fit' has several instances; which one is meant?"));
}

}  // namespace
}  // namespace kernmill::testing
