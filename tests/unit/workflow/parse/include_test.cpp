// Files that a workflow includes, and keys that are there for anchors.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "temporary_directory.hpp"
#include "workflow_fixture.hpp"

namespace kernmill::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class Include : public ::testing::Test {
 protected:
  void file(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder.path() / name).parent_path());
    std::ofstream(folder.path() / name) << text;
  }
  Parsed parse(const std::string& text) const {
    Parsed parsed;
    parsed.workflow =
        parse_workflow({(folder.path() / "flow.yaml").string(), text}, {}, real_files(), parsed.diagnostics);
    return parsed;
  }
  std::string mistake(const std::string& text) const {
    std::string shown = parse(text).text();
    const std::string prefix = folder.path().string() + "/";
    for (auto at = shown.find(prefix); at != std::string::npos; at = shown.find(prefix))
      shown.erase(at, prefix.size());
    return shown;
  }
  TemporaryDirectory folder;
};

TEST_F(Include, KeysStandAsIfTheyWereWrittenHere) {
  file("shared/common.yaml",
       "include: more.yaml\nparams: {seed: 7}\ndefaults: {resources: {mem: 1G}}\n"
       "stages: {prepare: {run: 'cat data.txt', inputs: [./data.txt], outputs: []}}\n");
  file("shared/more.yaml", "\xEF\xBB\xBFparams: {rate: 0.10}\n");
  file("data.txt", "");
  const Parsed parsed = parse(
      "name: f\ninclude: [shared/common.yaml]\nparams: {own: 1}\n"
      "stages: {fit: {needs: prepare, run: 'echo ${{ params.seed }} ${{ params.rate }} ${{ params.own "
      "}}'}}\n");
  ASSERT_TRUE(parsed.diagnostics.all().empty()) << parsed.text();
  EXPECT_EQ(parsed.workflow.stages[0].name, "prepare");
  EXPECT_EQ(parsed.stage("fit").config["run"], "echo 7 0.10 1");
  EXPECT_EQ(parsed.stage("fit").resources["mem"], "1G");
  EXPECT_EQ(parsed.stage("prepare").inputs[0].path, (folder.path() / "data.txt").string())
      << "paths are relative to the workflow's folder";
  ASSERT_THAT(parsed.workflow.included, SizeIs(2));
  EXPECT_THAT(parsed.workflow.included[0].text, HasSubstr("seed: 7"));
}

TEST_F(Include, MistakesAreShownInTheFileThatHasThem) {
  file("s.yaml", "stages:\n  prepare: {run: 'true', mum: 1G}\n");
  EXPECT_THAT(mistake("include: s.yaml\nstages: {}\n"),
              AllOf(HasSubstr("s.yaml:2:26: error: unknown key 'mum'"), HasSubstr("    2 |   prepare:")));
  EXPECT_THAT(mistake("include: none.yaml\nstages: {a: {run: x}}\n"),
              HasSubstr("flow.yaml:1:10: error: 'none.yaml' cannot be read"));
  EXPECT_THAT(mistake("include: {a: 1}\nstages: {a: {run: x}}\n"),
              HasSubstr("'include' takes names of files"));
  file("list.yaml", "- 1\n");
  EXPECT_THAT(mistake("include: list.yaml\nstages: {a: {run: x}}\n"),
              HasSubstr("list.yaml:1:1: error: an included file is a map"));
}

TEST_F(Include, ANameThatStandsTwiceIsSaidInBothPlaces) {
  file("s.yaml", "name: other\nstages:\n  a: {run: 'true'}\n");
  const std::string text = mistake("name: one\ninclude: s.yaml\nstages:\n  a: {run: 'false'}\n");
  EXPECT_THAT(text, HasSubstr("flow.yaml:4:3: error: the stage 'a' is given twice"));
  EXPECT_THAT(text, HasSubstr("s.yaml:3:3: error: the stage 'a' is given twice"));
  EXPECT_THAT(text, HasSubstr("it is also given in s.yaml, line 3"));
  EXPECT_THAT(text, HasSubstr("flow.yaml:1:1: error: 'name' is given twice"));
}

TEST_F(Include, FilesThatIncludeEachOtherAreNamed) {
  file("a.yaml", "include: b.yaml\n");
  file("b.yaml", "include: a.yaml\n");
  EXPECT_THAT(mistake("include: a.yaml\nstages: {a: {run: x}}\n"),
              HasSubstr("b.yaml:1:10: error: these files include each other: a.yaml -> b.yaml -> a.yaml"));
  for (int i = 0; i < 30; ++i)
    file("d" + std::to_string(i) + ".yaml", "include: d" + std::to_string(i + 1) + ".yaml\n");
  EXPECT_THAT(mistake("include: d0.yaml\nstages: {a: {run: x}}\n"), HasSubstr("20 deep: "));
  file("c.yaml", "");
  EXPECT_THAT(mistake("include: [c.yaml, c.yaml]\nstages: {a: {run: x}}\n"),
              HasSubstr("'c.yaml' is included twice"));
}

TEST_F(Include, KeysForAnchorsAreIgnored) {
  const Parsed parsed = parse(
      "x-small: &small {ntasks: 2, mem: 1G}\nx-list: [1, {a: b}]\n"
      "stages: {a: {run: x, resources: {<<: *small, mem: 2G}}}\n");
  EXPECT_TRUE(parsed.diagnostics.all().empty()) << parsed.text();
  EXPECT_EQ(parsed.stage("a").resources["ntasks"], 2);
  EXPECT_EQ(parsed.stage("a").resources["mem"], "2G");
  EXPECT_THAT(mistake("y-small: 1\nstages: {a: {run: x}}\n"), HasSubstr("unknown key 'y-small'"));
}

}  // namespace
}  // namespace kernmill::testing
