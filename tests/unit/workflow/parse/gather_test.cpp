#include <gmock/gmock.h>

#include "workflow_fixture.hpp"

namespace kernmill {
namespace {

using ::testing::HasSubstr;

const std::string part =
    "stages:\n  part: {matrix: {x: [1, 2]}, outputs: [missing_o, missing_p], run: 'true'}\n"
    "  fit: {task: train, data: d.h5, model: {type: softmax, l2: '${{ matrix.x }}'}, matrix: {x: [1, 2]}}\n";

std::vector<std::string> inputs_of(const Parsed& parsed, const std::string& stage) {
  std::vector<std::string> texts;
  for (const Input& input : parsed.stage(stage).inputs)
    texts.push_back(input.stage + "." + input.artifact + (input.gathered ? " of all" : ""));
  return texts;
}

TEST(Gathering, IsMeantByACommandWithoutTheSameMatrix) {
  const Parsed parsed =
      parse_good(part +
                 "  all: {inputs: [part, part.missing_o, fit], run: 'true'}\n"
                 "  other: {matrix: {x: [1, 3]}, inputs: [part], run: 'true'}\n"
                 "  each: {matrix: {x: [1, 2]}, inputs: [part.missing_o, fit], run: 'true'}\n");
  EXPECT_THAT(inputs_of(parsed, "all"),
              ::testing::ElementsAre("part. of all", "part.missing_o of all", "fit. of all"));
  EXPECT_THAT(inputs_of(parsed, "other"), ::testing::ElementsAre("part. of all"));
  EXPECT_THAT(inputs_of(parsed, "each"), ::testing::ElementsAre("part.missing_o", "fit.model"));
  EXPECT_THAT(parsed.stage("all").needs, ::testing::ElementsAre("part", "fit"));
  const Workflow again = workflow_from_json(to_json(parsed.workflow));
  EXPECT_TRUE(again.find("all")->inputs[0].gathered);
  EXPECT_FALSE(again.find("each")->inputs[0].gathered);
}

TEST(Gathering, OfAMatrixOfOneInstanceIsATableAllTheSame) {
  const Parsed parsed = parse_good(
      "stages:\n  part: {matrix: {x: [1]}, run: 'true'}\n"
      "  all: {inputs: [part], run: 'true'}\n");
  EXPECT_THAT(inputs_of(parsed, "all"), ::testing::ElementsAre("part. of all"));
}

TEST(DeclaredOutputs, MayHaveAnExpressionInAFoldersName) {
  (void)parse_good(
      "stages:\n  part: {matrix: {x: [1, 2]}, outputs: [\"${{ matrix['x'] * 2 }}/o\"], run: 'true'}\n");
}

TEST(Gathering, IsOfferedWhereOneInstanceCannotBeMeant) {
  EXPECT_THAT(parse(part + "  all: {run: 'true', env: {O: '${{ stages.part.missing_o }}'}}\n").text(),
              HasSubstr("or gather them all: inputs: [part]"));
  EXPECT_THAT(parse(part + "  all: {run: 'true', inputs: [part.missing_q]}\n").text(),
              HasSubstr("stage 'part' leaves no 'missing_q'"));
  EXPECT_THAT(parse(part + "  score: {task: evaluate, model: fit, data: d.h5}\n").text(),
              HasSubstr("which one is meant?"));
}

}  // namespace
}  // namespace kernmill
