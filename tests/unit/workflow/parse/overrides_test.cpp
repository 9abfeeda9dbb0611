#include "kernmill/workflow/parse/overrides.hpp"

#include <gmock/gmock.h>

#include "workflow_fixture.hpp"

namespace kernmill {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string flow =
    "params: {seed: 1}\n"
    "stages:\n"
    "  a: {run: 'true', time: 1}\n"
    "  b: {run: 'true', needs: a, env: {N: one, model.C: two}}\n"
    "  c: {run: 'true', needs: [a, b]}\n";

Parsed with(std::vector<Setter> set) {
  return parse(flow, {.set = std::move(set), .outer_defaults = {}});
}
std::string mistake(const Setter& setter) {
  return with({setter}).text();
}

TEST(Override, ReplacesWhatIsThere) {
  const Parsed parsed =
      with({{"stages.b.env.N", "three"}, {"b.env.model.C", "4"}, {"stages.c.needs.1", "a"}, {"seed", "2"}});
  EXPECT_TRUE(parsed.diagnostics.all().empty()) << parsed.text();
  EXPECT_EQ(parsed.stage("b").env, Json({{"N", "three"}, {"model.C", "4"}}));
  EXPECT_THAT(parsed.stage("c").needs, ElementsAre("a"));
  EXPECT_EQ(parsed.workflow.params["seed"], 2);
}

TEST(Override, AddsKeysAndItems) {
  const Parsed parsed = with({{"+stages.d", "{run: 'true'}"},
                              {"+stages.b.needs", "d"},
                              {"+a.env.X", "1"},
                              {"+on_failure", "echo no"}});
  EXPECT_TRUE(parsed.diagnostics.all().empty()) << parsed.text();
  EXPECT_THAT(parsed.stage("b").needs, ElementsAre("a", "d"));
  EXPECT_EQ(parsed.stage("a").env, Json({{"X", "1"}}));
  EXPECT_EQ(parsed.workflow.on_failure, "echo no");
}

TEST(Override, Removes) {
  const Parsed parsed = with({{"~stages.c", ""}, {"~b.needs", ""}});
  EXPECT_TRUE(parsed.diagnostics.all().empty()) << parsed.text();
  EXPECT_EQ(parsed.workflow.find("c"), nullptr);
  EXPECT_TRUE(parsed.stage("b").needs.empty());
}

TEST(Override, GivesAStageResourcesThatItDoesNotSpeakOf) {
  EXPECT_EQ(with({{"b.resources.mem", "8G"}}).stage("b").resources["mem"], "8G");
}

TEST(Override, IsToldWhatIsWrongInItsOwnWords) {
  EXPECT_THAT(mistake({"stages.b.evn.N", "1"}), HasSubstr("--set:1:1: error: 'stages.b' has no 'evn.N'"));
  EXPECT_THAT(mistake({"stages.b.when", "x"}), HasSubstr("a + adds it: --set '+stages.b.when=x'"));
  EXPECT_THAT(mistake({"+stages.b", "{run: 'true'}"}),
              HasSubstr("--set:1:2: error: 'stages.b' is there already"));
  EXPECT_THAT(mistake({"~stages.x", ""}), HasSubstr("--set:1:2: error: 'stages' has no 'x'"));
  EXPECT_THAT(mistake({"stages..b", "1"}), HasSubstr("this is no path in a workflow"));
  EXPECT_THAT(mistake({"a.time", "soon"}), HasSubstr("--set a.time:1:1: error:"));
  EXPECT_THAT(mistake({"+b.needs", "nobody"}), HasSubstr("there is no stage 'nobody'"));
  EXPECT_THAT(mistake({"+a.run.x", "1"}), HasSubstr("'stages.a.run' is the text 'true', and takes no key"));
}

class SetResources : public ::testing::Test {
 protected:
  std::string set(std::vector<Setter> setters) {
    Diagnostics diagnostics;
    set_resources(workflow, setters, diagnostics);
    return render(diagnostics, false);
  }
  Workflow workflow = parse_good(flow).workflow;
};

TEST_F(SetResources, AreSetForAllStagesOrForOne) {
  EXPECT_EQ(
      set({{"walltime", "10"}, {"b.mem", "8G"}, {"stages.c.resources.mem", "2G"}, {"resources.qos", "x"}}),
      "");
  EXPECT_EQ(workflow.find("a")->resources, Json({{"time", 10}, {"qos", "x"}}));
  EXPECT_EQ(workflow.find("b")->resources["mem"], "8G");
  EXPECT_EQ(workflow.find("c")->resources["mem"], "2G");
}

TEST_F(SetResources, AreAllThatIsSetLikeThat) {
  EXPECT_THAT(set({{"seed", "2"}}), HasSubstr("--set:1:1: error: 'seed' is no resource of a stage"));
  EXPECT_THAT(set({{"x.time", "2"}}), HasSubstr("there is no stage for 'x.time'"));
  EXPECT_THAT(set({{"b.run", "false"}}), HasSubstr("resume --with"));
}

}  // namespace
}  // namespace kernmill
