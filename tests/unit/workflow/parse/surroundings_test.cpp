// What a stage says of the environment of its programs.
#include <gmock/gmock.h>

#include "kernmill/workflow/env_source.hpp"
#include "workflow_fixture.hpp"

namespace kernmill {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct ParsedHere {
  Workflow workflow;
  std::string text;
};

/// With SCRATCH, API_TOKEN and ODD in the environment.
ParsedHere parse_here(const std::string& text) {
  Files files = iris_everywhere();
  files.variable = [](const std::string& name) -> std::optional<std::string> {
    if (name == "HOME") return "/home/ada";
    if (name == "SCRATCH") return "/scratch/ada";
    if (name == "API_TOKEN") return "0123456789abcdef-x";
    if (name == "ODD") return "${{ params.x }}";
    return {};
  };
  Diagnostics diagnostics;
  ParsedHere parsed{parse_workflow({"/flows/test.yaml", text}, {}, files, diagnostics), {}};
  parsed.text = render(diagnostics, false);
  return parsed;
}

TEST(Surroundings, AVariableOfTheReaderIsPastedWhereTextIsWanted) {
  const auto [workflow, text] = parse_here(
      "params: {place: '${{ env.SCRATCH }}/x'}\n"
      "stages: {a: {run: 'ls ${{ env.SCRATCH }} ${{ params.place }}', env: {P: '${{ env.SCRATCH }}'}}}\n");
  EXPECT_EQ(text, "");
  EXPECT_EQ(workflow.stages[0].config["run"], "ls /scratch/ada /scratch/ada/x");
  EXPECT_EQ(workflow.stages[0].env["P"], "/scratch/ada");
}

TEST(Surroundings, AVariableThatLooksLikeASecretIsWarnedOfAndOneWithAnExpressionRefused) {
  EXPECT_THAT(parse_here("stages: {a: {run: 'x ${{ env.API_TOKEN }}'}}\n").text,
              AllOf(HasSubstr("test.yaml:1:"), HasSubstr("'API_TOKEN' looks like a secret"),
                    HasSubstr("env: {API_TOKEN: {from: env}}")));
  EXPECT_THAT(parse_here("stages: {a: {run: 'x ${{ env.ODD }}'}}\n").text, HasSubstr("value of ODD cannot"));
}

TEST(Surroundings, PythonIsAFolderBesideTheWorkflowOrInTheHome) {
  const auto parsed = parse_here(
      "defaults: {python: venv/}\n"
      "stages:\n"
      "  a: {run: python x.py}\n"
      "  b: {run: python x.py, python: ~/envs/b}\n"
      "  c: {run: python x.py, python: ''}\n");
  ASSERT_EQ(parsed.text, "");
  const Workflow again = workflow_from_json(to_json(parsed.workflow));
  EXPECT_EQ(again.stages[0].python, "/flows/venv");
  EXPECT_EQ(again.stages[1].python, "/home/ada/envs/b");
  EXPECT_EQ(again.stages[2].python, "");
}

TEST(Surroundings, ASignalHasANameAndALead) {
  const auto parsed = parse_here(
      "defaults: {signal: USR1@120}\n"
      "stages:\n"
      "  a: {run: x}\n"
      "  b: {run: x, signal: SIGINT}\n"
      "  c: {run: x, signal: '@2m'}\n");
  ASSERT_EQ(parsed.text, "");
  const Workflow again = workflow_from_json(to_json(parsed.workflow));
  EXPECT_EQ(again.stages[0].signal, "USR1");
  EXPECT_EQ(again.stages[0].signal_lead.count(), 120);
  EXPECT_EQ(again.stages[1].signal, "INT");
  EXPECT_EQ(again.stages[1].signal_lead.count(), 0);
  EXPECT_EQ(again.stages[2].signal, "");
  EXPECT_EQ(again.stages[2].signal_lead.count(), 120);
}

TEST(Surroundings, VariablesArePassedByNameAndPattern) {
  const auto parsed = parse_here("stages: {a: {run: x, pass_env: [WANDB_*, HF_HOME]}}\n");
  ASSERT_EQ(parsed.text, "");
  const Stage stage = workflow_from_json(to_json(parsed.workflow)).stages[0];
  const Variables all{
      {"WANDB_MODE", "offline"}, {"HF_HOME", "/h"}, {"HF_HOME_2", "/i"}, {"SLURM_JOB_ID", "1"}};
  EXPECT_THAT(passed_variables(stage, all),
              ElementsAre(std::pair("WANDB_MODE", "offline"), std::pair("HF_HOME", "/h")));
}

TEST(Surroundings, AllIsWithoutWhatAShellKeepsForItself) {
  Stage stage;
  stage.pass_env = {"all"};
  EXPECT_TRUE(passes_everything(stage));
  EXPECT_TRUE(is_passed(stage, "LD_LIBRARY_PATH"));
  for (const char* own : {"PWD", "SHLVL", "OMP_NUM_THREADS", "KERNMILL_RUN", "SLURM_JOB_ID", "PMI_RANK"})
    EXPECT_FALSE(is_passed(stage, own)) << own;
  stage.pass_env = {"OMP_NUM_THREADS", "KERNMILL_RUN"};
  EXPECT_TRUE(is_passed(stage, "OMP_NUM_THREADS")) << "by name";
  EXPECT_FALSE(is_passed(stage, "KERNMILL_RUN"));
  stage.pass_env = {};
  EXPECT_THAT(passed_variables(stage, {{"A", "b"}}), IsEmpty());
}

}  // namespace
}  // namespace kernmill
