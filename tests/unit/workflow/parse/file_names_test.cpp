// Names of files that would mean something else elsewhere: a pattern, a stage.
#include <set>

#include <gmock/gmock.h>

#include "workflow_fixture.hpp"

namespace kernmill {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Parses /x[a]/flow.yaml, where there are these files and folders, all of them CSV files with x, y and c.
Parsed parse_beside(const std::set<std::string>& names, const std::string& text) {
  Parsed parsed;
  const Files files{
      [=](const std::filesystem::path& path) { return names.contains(path.string()); },
      [=](const std::filesystem::path& path, std::size_t, std::size_t) -> std::optional<std::string> {
        if (!names.contains(path.string())) return std::nullopt;
        return "x,y,c";
      }};
  parsed.workflow = parse_workflow({"/x[a]/flow.yaml", text}, {}, files, parsed.diagnostics);
  return parsed;
}

std::string preprocess_of(const std::string& stage, const std::string& input) {
  return "stages:\n  " + stage + ": {task: preprocess, input: '" + input + "', target: c}\n";
}

TEST(FileName, OfAPatternIsAskedAndNotThatOfTheWorkflowsFolder) {
  const Parsed parsed = parse_beside({"/x[a]"}, preprocess_of("prepare", "d*.csv"));
  EXPECT_THAT(parsed.text(), IsEmpty());
  EXPECT_EQ(parsed.stage("prepare").inputs[0].path, "/x[a]/d*.csv");
}

TEST(FileName, OfAFileThatExistsIsNoPattern) {
  const Parsed parsed = parse_beside({"/x[a]", "/x[a]/e[1].csv"}, preprocess_of("prepare", "e[1].csv"));
  EXPECT_THAT(parsed.text(), IsEmpty());
  EXPECT_EQ(parsed.stage("prepare").inputs[0].path, "/x[a]/e[1].csv");
  EXPECT_THAT(parse_beside({"/x[a]", "/x[a]/e[1].csv"}, preprocess_of("prepare", "../x[a]/e[1].csv")).text(),
              IsEmpty());
}

TEST(FileName, OfAFolderThatExistsIsNoPatternEither) {
  EXPECT_THAT(parse_beside({"/x[a]/b*"}, preprocess_of("prepare", "b*/d?.csv")).text(), IsEmpty());
  EXPECT_THAT(parse_beside({}, preprocess_of("prepare", "b*/d?.csv")).text(),
              HasSubstr("has a wildcard in a folder's name"));
}

TEST(FileName, MayBeginAsItsStageDoes) {
  const Parsed parsed = parse_beside({"/x[a]/train.csv"}, preprocess_of("train", "train.csv"));
  EXPECT_THAT(parsed.text(), IsEmpty());
  EXPECT_EQ(parsed.stage("train").inputs[0].path, "/x[a]/train.csv");
  EXPECT_THAT(parse_beside({}, preprocess_of("train", "train.csv")).text(),
              HasSubstr("there is no file 'train.csv'"));
}

TEST(FileName, MayBeginAsAnotherStageDoes) {
  const std::string text = preprocess_of("train", "a.csv") + "  use: {run: ls, inputs: [train.csv]}\n";
  const Parsed parsed = parse_beside({"/x[a]/a.csv", "/x[a]/train.csv"}, text);
  EXPECT_THAT(parsed.text(), IsEmpty());
  EXPECT_EQ(parsed.stage("use").inputs[0].path, "/x[a]/train.csv");
  EXPECT_THAT(parse_beside({"/x[a]/a.csv"}, text).text(), HasSubstr("stage 'train' leaves no 'csv'"));
}

TEST(FileName, ThatIsAnArtifactTooIsAnErrorThatSaysHowToWriteEither) {
  const std::string begin = "stages:\n  train: {run: ls, outputs: [csv]}\n  use: {run: ls, inputs: [";
  EXPECT_THAT(parse_beside({"/x[a]/train.csv"}, begin + "train.csv]}\n").text(),
              AllOf(HasSubstr("flow.yaml:3:27: error:"), HasSubstr("./train.csv for the file"),
                    HasSubstr("${{ stages.train['csv'] }}")));
  EXPECT_EQ(parse_beside({"/x[a]/train.csv"}, begin + "./train.csv]}\n").stage("use").inputs[0].stage, "");
  EXPECT_EQ(parse_beside({"/x[a]/train.csv"}, begin + "\"${{ stages.train['csv'] }}\"]}\n")
                .stage("use")
                .inputs[0]
                .stage,
            "train");
  EXPECT_EQ(parse_beside({}, begin + "train.csv]}\n").stage("use").inputs[0].stage, "train");
}

}  // namespace
}  // namespace kernmill
