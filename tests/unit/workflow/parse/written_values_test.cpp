// Values reach what uses them as they were written, or are an error with a place.
#include <gmock/gmock.h>

#include "kernmill/plan/plan.hpp"
#include "kernmill/workflow/expression/expression.hpp"
#include "workflow_fixture.hpp"

namespace kernmill {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// What `run: "<${{ params.title }}>"` becomes with --set title=TEXT.
std::string title(const std::string& text) {
  ParseOptions options;
  options.set = {{"title", text}};
  return parse_good("params: {title: none}\nstages: {s: {run: '<${{ params.title }}>'}}", options)
      .stage("s")
      .config.at("run");
}

Plan plan_of(const std::string& text) {
  return Plan(parse_good(text).workflow);
}

TEST(Argument, IsTheTextThatItIs) {
  for (const std::string text : {"run #5",
                                 "#x",
                                 "%x",
                                 "&x",
                                 "*x",
                                 "!x",
                                 "a: 1",
                                 "- a",
                                 "| x",
                                 "> x",
                                 "@x",
                                 "`x",
                                 "? x",
                                 "it's",
                                 "[draft] run #5",
                                 "[1, 2] # c",
                                 "[1, 2",
                                 "{a",
                                 "\"q\" b",
                                 "'q' b",
                                 "x ",
                                 " x",
                                 "---",
                                 "a\tb",
                                 "3.10",
                                 "18446744073709551615",
                                 "1e400",
                                 "0x1F",
                                 "007",
                                 "True",
                                 ","})
    EXPECT_EQ(title(text), "<" + text + ">");
}

TEST(Argument, InQuotesOrBracketsIsReadAsYaml) {
  EXPECT_EQ(title("\"a # b\""), "<a # b>");
  EXPECT_EQ(title("'it''s'"), "<it's>");
  EXPECT_EQ(title(R"("say \"x\"")"), "<say \"x\">");
  EXPECT_EQ(title("[1, 3.10, a]"), "<[1,3.10,\"a\"]>");
  EXPECT_EQ(title("{a: [0x1F, \"]\"]}"), "<{\"a\":[31,\"]\"]}>");
  EXPECT_EQ(title(""), "<>");
}

TEST(Argument, ThatIsNoTextIsAnErrorWithItsPlace) {
  ParseOptions options;
  options.set = {{"title", "a\xFFz"}};
  EXPECT_THAT(parse("params: {title: none}\nstages: {s: {run: ls}}", options).text(),
              HasSubstr("--set title:1:2: error: this is not UTF-8 text"));
}

TEST(WrittenValue, OfAParameterIsPastedAsItStands) {
  const Parsed parsed = parse_good(
      "params: {big: 18446744073709551615, huge: 1e400, v: 3.10, hex: 0x1F, list: [3.9, 3.10], plus: +1.50}\n"
      "stages: {s: {run: 'echo ${{ params.big }} ${{ params.huge }} ${{ params.v }} ${{ params.hex }} "
      "${{ params.list }} ${{ params.plus }} ${{ 1.50 }}', env: {V: '${{ params.v }}'}}}");
  EXPECT_EQ(parsed.stage("s").config.at("run"),
            "echo 18446744073709551615 1e400 3.10 0x1F [3.9,3.10] +1.50 1.50");
  EXPECT_EQ(parsed.stage("s").env.at("V"), "3.10");
}

TEST(WrittenValue, IsANumberWhereItIsComputedWith) {
  const Parsed parsed = parse_good(
      "params: {v: 3.10, hex: 0x1F, big: 18446744073709551615}\n"
      "stages: {s: {run: 'echo ${{ params.v * 2 }} ${{ params.hex + 1 }} ${{ params.v == 3.1 }}'}}");
  EXPECT_EQ(parsed.stage("s").config.at("run"), "echo 6.2 32 true");
}

TEST(WrittenValue, ThatCannotBeComputedWithIsAnErrorWithItsPlace) {
  EXPECT_THAT(
      parse("params: {big: 18446744073709551615}\nstages: {s: {run: 'echo ${{ params.big + 1 }}'}}").text(),
      AllOf(HasSubstr("test.yaml:2:29: error:"),
            HasSubstr("18446744073709551615 is beyond the whole numbers")));
  EXPECT_THAT(parse("params: {huge: 1e400}\nstages: {s: {run: 'echo ${{ params.huge * 2 }}'}}").text(),
              HasSubstr("1e400 is beyond the numbers that can be computed with"));
  EXPECT_THAT(
      parse("stages: {s: {matrix: {n: [1, 99999999999999999999]}, run: 'echo ${{ matrix.n + 1 }}'}}").text(),
      HasSubstr("99999999999999999999 is beyond the whole numbers"));
}

TEST(WrittenValue, OfAMatrixIsInNamesAndVariables) {
  const Plan plan = plan_of(
      "params: {versions: [3.9, 3.10]}\n"
      "stages:\n  s:\n    matrix: {v: [3.10, 3.1], w: '${{ params.versions }}', include: [{v: 1e-3, w: "
      "0x10}]}\n"
      "    env: {V: '${{ matrix.v }}', TWICE: '${{ matrix.v * 2 }}'}\n    run: run-${{ matrix.w }}\n");
  EXPECT_EQ(plan.written_values({0, 1}), (Json{{"v", "3.10"}, {"w", "3.10"}}));
  EXPECT_EQ(plan.values({0, 1}), (Json{{"v", 3.1}, {"w", 3.1}}));
  EXPECT_EQ(plan.env({0, 1}), (Json{{"V", "3.10"}, {"TWICE", "6.2"}}));
  EXPECT_EQ(plan.config({0, 1}).at("run"), "run-3.10");
  EXPECT_EQ(plan.env({0, 2}).at("V"), "3.1");
  EXPECT_EQ(plan.written_values({0, 4}), (Json{{"v", "1e-3"}, {"w", "0x10"}}));
  EXPECT_EQ(plan.config({0, 4}).at("run"), "run-0x10");
}

TEST(WrittenValue, OfAMatrixIsANumberForASetting) {
  const Plan plan =
      plan_of(prepare +
              "  fit: {task: train, data: prepare, model: {type: linear_svm, C: '${{ matrix.c }}'}, "
              "matrix: {c: [1e-1, 10]}}\n");
  EXPECT_EQ(plan.config({1, 0}).at("model").at("C"), 0.1);
}

TEST(WrittenValue, SurvivesTheWayThroughPlanJson) {
  const Plan plan = plan_of("stages: {s: {matrix: {v: [3.10], include: [{v: 1e-3}]}, run: ls}}");
  const Plan again = plan_from_json(Json::parse(to_json(plan).dump()));
  EXPECT_EQ(again.written_values({0, 0}), (Json{{"v", "3.10"}}));
  EXPECT_EQ(again.written_values({0, 1}), (Json{{"v", "1e-3"}}));
}

TEST(WrittenValue, MakesMatricesDiffer) {
  const Plan plan = plan_of(
      "stages:\n  a: {matrix: {v: [3.1, 3.10]}, run: ls}\n  b: {matrix: {v: [3.10, 3.1]}, run: ls, needs: "
      "a}\n");
  EXPECT_EQ(plan.parents(1).front().kind, EdgeKind::all);
}

}  // namespace
}  // namespace kernmill
