// What a run is made of changes: inputs, needs, code, the workflow itself.
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>

#include "kernmill/run/directory/plan_file.hpp"
#include "kill_world.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Changes : public ::testing::Test {
 protected:
  Changes() : world("diamond.yaml") {}

  void put(const std::string& name, const std::string& text) const {
    fs::create_directories((world.folder() / name).parent_path());
    std::ofstream(world.folder() / name) << text;
  }
  void flow(const std::string& text, const std::string& name = "flow.yaml") const { put(name, text); }
  Finished done(const std::vector<std::string>& words) const {
    Finished finished = world.run(words);
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    return finished;
  }
  [[nodiscard]] std::vector<std::string> lines(const std::string& file) const { return world.lines(file); }
  /// What an instance of the newest run left.
  [[nodiscard]] std::string left(const std::string& stage, const std::string& file,
                                 unsigned attempt = 1) const {
    std::ifstream stream(world.runs().back().attempt(stage, 0, attempt) / file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  void git(const std::string& words) const {
    const Finished finished =
        run_program({{"sh", "-c", "git -c user.name=a -c user.email=a@b -c init.defaultBranch=main " + words},
                     world.folder(),
                     {}});
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
  }
  KillWorld world;
};

// --- needs in the key

constexpr const char* collecting = R"(
stages:
  part:
    matrix: {i: [1, 2]}
    inputs: [./data.txt]
    run: 'cat data.txt > "$KERNMILL_OUTPUT/part"'
    outputs: [part]
  collect:
    needs: part
    inputs: []
    run: 'echo ran >> collected; cat "$KERNMILL_RUN"/stages/part/*/attempt-1/part > "$KERNMILL_OUTPUT/all"'
    outputs: [all]
)";

TEST_F(Changes, ACollectingCommandRunsAgainWhenWhatItWaitsForLeavesSomethingElse) {
  put("data.txt", "old\n");
  flow(collecting);
  done({"run", "flow.yaml"});
  EXPECT_THAT(done({"run", "flow.yaml"}).err, HasSubstr("cached"));
  EXPECT_EQ(left("collect", "all"), "old\nold\n");
  EXPECT_THAT(lines("collected"), ElementsAre("ran"));
  put("data.txt", "new\n");
  EXPECT_THAT(done({"plan", "flow.yaml"}).out, HasSubstr("part will run first"));
  done({"run", "flow.yaml"});
  EXPECT_EQ(left("collect", "all"), "new\nnew\n");
  EXPECT_THAT(done({"explain", "last", "collect"}).out, HasSubstr("what part leaves changed"));
}

TEST_F(Changes, WhatIsNeededForItsOrderAloneDecidesNothing) {
  put("data.txt", "old\n");
  std::string text = collecting;
  text.replace(text.find("needs: part"), 11, "needs: [{stage: part, order_only: true}]");
  flow(text);
  done({"run", "flow.yaml"});
  put("data.txt", "new\n");
  done({"run", "flow.yaml"});
  EXPECT_THAT(lines("collected"), ElementsAre("ran"));
}

TEST_F(Changes, WhatANeededCommandLeavesWithoutDeclaringItIsSaidToBeUnknown) {
  flow(R"(
stages:
  part: {run: 'date >> side'}
  collect: {needs: part, inputs: [], run: 'cat side > "$KERNMILL_OUTPUT/o"; echo ran >> collected', outputs: [o]}
)");
  done({"run", "flow.yaml"});
  EXPECT_THAT(done({"plan", "flow.yaml"}).out,
              HasSubstr("what part leaves is not known: it declares no outputs"));
  done({"run", "flow.yaml"});
  EXPECT_THAT(lines("collected"), ElementsAre("ran", "ran"));
}

TEST_F(Changes, ANeedIsWrittenAsItShouldBe) {
  flow("stages:\n  a: {run: 'true'}\n  b: {run: 'true', needs: [{stage: a, order: true}]}\n");
  EXPECT_THAT(world.run({"validate", "flow.yaml"}).err,
              HasSubstr("flow.yaml:3:39: error: unknown key 'order' of an item of 'needs'"));
}

// --- inputs that change behind a run

constexpr const char* scripted = R"yaml(
stages:
  fit:
    matrix: {i: [0, 1]}
    inputs: [./s.sh]
    run: 'sh s.sh > "$KERNMILL_OUTPUT/o"; echo "fit $(sh s.sh)" >> ran'
    outputs: [o]
  use:
    inputs: [fit.o]
    matrix: {i: [0, 1]}
    run: 'cp "$KERNMILL_RUN/stages/fit/$KERNMILL_INSTANCE/attempt-1/o" "$KERNMILL_OUTPUT/u"; echo use >> ran'
    outputs: [u]
  last: {needs: use, run: 'test -e ready'}
)yaml";

TEST_F(Changes, AResumeNamesTheScriptThatWasEditedAndWhoReadTheOldOne) {
  put("s.sh", "echo 1\n");
  flow(scripted);
  EXPECT_EQ(world.run({"run", "flow.yaml", "-j1"}).exit_code, 1);
  put("s.sh", "echo 22\n");
  const Finished resumed = world.run({"resume"});
  EXPECT_EQ(resumed.exit_code, 1);
  EXPECT_THAT(resumed.err, HasSubstr("warning: s.sh has changed since fit[0] and fit[1] read it"));
  EXPECT_THAT(resumed.err, HasSubstr("--rerun-changed"));
  EXPECT_EQ(lines("ran").size(), 4U);
  put("ready", "");
  const Finished rerun = done({"resume", "--rerun-changed", "-j1"});
  EXPECT_THAT(rerun.err, HasSubstr("fit[0] is made again: s.sh has changed"));
  EXPECT_THAT(rerun.err, HasSubstr("use[1] is made again: fit[1] is made again"));
  EXPECT_EQ(left("fit", "o", 2), "22\n");
  EXPECT_EQ(lines("ran").size(), 8U);
  const Finished again = done({"resume", "--rerun-changed"});
  EXPECT_THAT(again.err, HasSubstr("nothing has changed of the files"));
  EXPECT_THAT(again.err, HasSubstr("done already"));
}

TEST_F(Changes, AnInstanceThatFindsAnotherFileThanTheRunWasMadeWithSaysSo) {
  put("s.sh", "echo 1\n");
  flow(
      "stages:\n"
      "  first: {run: 'echo \"echo 22\" > s.sh'}\n"
      "  fit: {needs: first, inputs: [./s.sh], run: 'sh s.sh > \"$KERNMILL_OUTPUT/o\"', outputs: [o]}\n");
  done({"run", "flow.yaml"});
  EXPECT_THAT(done({"status"}).out, HasSubstr("s.sh was another file than when the run was made for fit"));
  EXPECT_THAT(done({"status", "--json"}).out, HasSubstr("\"other_inputs\""));
  EXPECT_THAT(done({"resume"}).err, Not(HasSubstr("warning")));
  std::ifstream log(world.runs().back().attempt("fit", 0, 1) / "exec.log");
  EXPECT_THAT(std::string(std::istreambuf_iterator<char>(log), {}), HasSubstr("input s.sh has changed"));
}

TEST_F(Changes, AnAttemptThatGoesOnFromOneThatReadAnotherFileIsNotCached) {
  put("s.sh", "1\n");
  flow(R"(
stages:
  fit:
    inputs: [./s.sh]
    run: 'cat s.sh > half; exit 1'
    restart: 'cat half s.sh > "$KERNMILL_OUTPUT/o"'
    outputs: [o]
)");
  EXPECT_EQ(world.run({"run", "flow.yaml"}).exit_code, 1);
  put("s.sh", "2\n");
  done({"resume"});
  EXPECT_EQ(left("fit", "o", 2), "1\n2\n");
  EXPECT_THAT(world.run({"plan", "flow.yaml"}).out, HasSubstr("fit  runs: no earlier result"));
}

// --- the code

TEST_F(Changes, CommandsRunTheCodeThatTheRunWasMadeWith) {
  put("train.sh", "cat lib/part data.txt\n");
  put("lib/part", "old\n");
  put("data.txt", "data\n");
  flow(R"(
snapshot: [train.sh, lib/]
stages:
  edit: {run: 'echo new > "$ORIGINAL/lib/part"', env: {ORIGINAL: )" +
       world.folder().string() + R"(}}
  fit: {needs: edit, inputs: [./train.sh, ./data.txt], run: 'sh train.sh > "$KERNMILL_OUTPUT/o"; test -e $GO/ready', env: {GO: )" +
       world.folder().string() + R"(}, outputs: [o]}
)");
  EXPECT_EQ(world.run({"run", "flow.yaml"}).exit_code, 1);
  EXPECT_EQ(left("fit", "o"), "old\ndata\n");
  EXPECT_THAT(done({"status", "--json"}).out,
              HasSubstr("\"copy\": \"" + world.runs().back().root().string() + "/code\""));
  EXPECT_THAT(done({"explain"}).out, HasSubstr("commands run the code in"));
  put("ready", "");
  const Finished resumed = done({"resume", "--with-code"});
  EXPECT_THAT(resumed.err, HasSubstr("/code-2"));
  EXPECT_EQ(left("fit", "o", 2), "new\ndata\n");
}

TEST_F(Changes, OfGitTheTrackedFilesWithTheirChangesAreTaken) {
  if (run_program({{"git", "--version"}, world.folder(), {}}).exit_code != 0)
    GTEST_SKIP() << "git is not here";
  put("src/a.sh", "echo committed\n");
  put("flows/flow.yaml",
      "snapshot: git\nstages:\n"
      "  fit: {inputs: [../src/a.sh], run: 'sh ../src/a.sh > \"$KERNMILL_OUTPUT/o\"; ls .. >> "
      "\"$KERNMILL_OUTPUT/o\"', outputs: [o]}\n");
  git("init -q . && git add src flows");
  git("commit -q -m one");
  put("src/a.sh", "echo changed\n");
  put("src/untracked", "");
  done({"run", "flows/flow.yaml", "--runs", "runs"});
  EXPECT_EQ(left("fit", "o"), "changed\nflows\nsrc\n");
  EXPECT_THAT(done({"status"}).out,
              ::testing::ContainsRegex("code  .*/code \\(commit [0-9a-f]{12} with changes\\)"));
  EXPECT_THAT(done({"plan", "flows/flow.yaml", "--runs", "runs"}).out, HasSubstr("cached"));
  put("src/a.sh", "echo again\n");
  EXPECT_THAT(done({"plan", "flows/flow.yaml", "--runs", "runs"}).out, HasSubstr("src/a.sh changed"));
}

TEST_F(Changes, CodeThatCannotBeCopiedIsALocatedMistake) {
  flow("snapshot: git\nstages: {a: {run: 'true'}}\n");
  const Finished no_git = world.run({"run", "flow.yaml"});
  EXPECT_EQ(no_git.exit_code, 2);
  EXPECT_THAT(no_git.err, HasSubstr("flow.yaml:1:11: error: "));
  flow("snapshot: [nowhere.py, ../up]\nstages: {a: {run: 'true'}}\n");
  const Finished missing = world.run({"run", "flow.yaml"});
  EXPECT_THAT(missing.err, HasSubstr("flow.yaml:1:12: error: there is no 'nowhere.py'"));
  EXPECT_THAT(missing.err, HasSubstr("flow.yaml:1:24: error: '../up' does not lie in the workflow's folder"));
}

// --- going on with changes

TEST_F(Changes, AResumeGivesStagesOtherResources) {
  flow("stages:\n  fit: {time: 1, run: 'test -e ready'}\n  next: {needs: fit, run: 'true'}\n");
  EXPECT_EQ(world.run({"run", "flow.yaml"}).exit_code, 1);
  put("ready", "");
  const Finished wrong = world.run({"resume", "--set", "fit.tmie=10"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("--set:1:1: error: 'fit.tmie' is no resource of a stage"));
  EXPECT_THAT(world.run({"resume", "--set", "mem=much"}).err, HasSubstr("--set mem:1:1: error:"));
  done({"resume", "--set", "time=10", "--set", "fit.resources.mem=1G"});
  std::ifstream plan(newest_plan(world.runs().back()));
  const std::string text(std::istreambuf_iterator<char>(plan), {});
  EXPECT_THAT(text, HasSubstr(R"("resources":{"time":10,"mem":"1G"})"));
  EXPECT_EQ(newest_plan(world.runs().back()).filename(), "plan-2.json");
}

TEST_F(Changes, AnEditedWorkflowIsNamedAndTakenWhenAsked) {
  const std::string first =
      "stages:\n"
      "  a: {inputs: [], run: 'echo a >> ran; echo 1 > \"$KERNMILL_OUTPUT/o\"', outputs: [o]}\n"
      "  b: {inputs: [a.o], run: 'echo b >> ran; echo old > \"$KERNMILL_OUTPUT/o\"', outputs: [o]}\n"
      "  c: {inputs: [b.o], run: 'echo c >> ran; cat \"$KERNMILL_RUN\"/stages/b/0/*/o > "
      "\"$KERNMILL_OUTPUT/o\"', "
      "outputs: [o]}\n";
  flow(first + "  bad: {run: 'false'}\n");
  EXPECT_EQ(world.run({"run", "flow.yaml", "-j1"}).exit_code, 1);
  std::string edited = first + "  more: {needs: c, run: 'echo more >> ran'}\n";
  edited.replace(edited.find("echo old"), 8, "echo new");
  flow(edited);
  EXPECT_THAT(world.run({"resume"}).err,
              HasSubstr("flow.yaml has changed since this run was made; the run goes on "
                        "with its own copy; --with"));
  const Finished shown = done({"resume", "--with", "flow.yaml", "--dry-run"});
  for (const char* line :
       {"bad: is gone; what of it has not finished is skipped", "b: setting run changed",
        "(1 finished instance runs again)", "more: is new, 1 instance", "nothing was done"})
    EXPECT_THAT(shown.err, HasSubstr(line));
  const Finished resumed = done({"resume", "--with", "flow.yaml", "-j1"});
  EXPECT_THAT(resumed.err, HasSubstr("c is made again: b is made again"));
  EXPECT_THAT(lines("ran"), ElementsAre("a", "b", "c", "b", "c", "more"));
  EXPECT_TRUE(fs::exists(world.runs().back().root() / "workflow-1.yaml"));
  EXPECT_THAT(done({"resume"}).err, HasSubstr("done already"));
  EXPECT_THAT(done({"status"}).out, HasSubstr("skipped"));
}

TEST_F(Changes, EachChangeCountsAfterTheOneBeforeAndAfterAStageHasDecided) {
  const auto study = [](const char* last) {
    return "stages:\n"
           "  split: {run: 'printf \"[1, 2]\" > \"$KERNMILL_OUTPUT/parts.json\"', outputs: [parts.json]}\n"
           "  part: {matrix: {p: {from: \"stages.split['parts.json']\"}}, run: 'echo p$KERNMILL_MATRIX_P >> "
           "ran'}\n"
           "  last: {needs: part, run: '" +
           std::string(last) + "'}\n";
  };
  flow(study("echo first >> ran; false"));
  EXPECT_EQ(world.run({"run", "flow.yaml", "-j1"}).exit_code, 1);
  for (const char* again : {"echo second >> ran; false", "echo third >> ran; false"}) {
    flow(study(again));
    EXPECT_EQ(world.run({"resume", "--with", "flow.yaml", "-j1"}).exit_code, 1);
  }
  EXPECT_EQ(world.run({"resume", "-j1"}).exit_code, 1);
  flow(study("echo fourth >> ran"));
  done({"resume", "--with", "flow.yaml", "-j1"});
  EXPECT_THAT(lines("ran"), ElementsAre("p1", "p2", "first", "second", "third", "third", "fourth"));
}

TEST_F(Changes, InstancesThatHaveBegunKeepTheirNumbersWhenAMatrixGrows) {
  const auto study = [](const std::string& x, const std::string& y) {
    return "stages:\n  fit: {matrix: {x: " + x + ", y: " + y +
           "}, run: 'echo $KERNMILL_MATRIX_X$KERNMILL_MATRIX_Y >> ran'}\n"
           "  use: {matrix: {x: " +
           x + ", y: " + y + "}, needs: fit, run: 'test -e ready'}\n";
  };
  flow(study("[1, 2]", "[a, b]"));
  EXPECT_EQ(world.run({"run", "flow.yaml", "-j1"}).exit_code, 1);
  put("ready", "");
  flow(study("[1, 2]", "[a, b, c]"));
  done({"resume", "--with", "flow.yaml", "-j1"});
  EXPECT_THAT(lines("ran"), ElementsAre("1a", "1b", "2a", "2b", "1c", "2c"));
  flow(study("[1]", "[a, b, c]"));
  const Finished refused = world.run({"resume", "--with", "flow.yaml"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("has begun with {\"x\":2,\"y\":\"a\"}"));
}

TEST_F(Changes, AnyKeyOfTheFileIsSetOnTheCommandLine) {
  flow("stages:\n  fit: {run: 'echo $N >> ran', env: {N: one}}\n  bad: {run: 'false'}\n");
  done({"run", "flow.yaml", "--set", "stages.fit.env.N=two", "--set", "~stages.bad", "--set",
        "+stages.more={run: 'echo more >> ran', needs: fit}", "-j1"});
  EXPECT_THAT(lines("ran"), ElementsAre("two", "more"));
  const Finished wrong = world.run({"validate", "flow.yaml", "--set", "fit.evn.N=1", "--set", "~stages.bda",
                                    "--set", "stages.fit.needs=bad", "--set", "+fit.needs=nobody"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("--set:1:1: error: 'stages.fit' has no 'evn.N'"));
  EXPECT_THAT(wrong.err, HasSubstr("--set:1:2: error: 'stages' has no 'bda'"));
  EXPECT_THAT(wrong.err, HasSubstr("a + adds it: --set '+stages.fit.needs=bad'"));
  EXPECT_THAT(wrong.err, HasSubstr("there is no stage 'nobody'"));
}

TEST_F(Changes, ARunThatIsNamedIsRemovedAndItsBytesAreCountedOnce) {
  flow(
      "stages: {a: {inputs: [], run: 'head -c 3000000 /dev/zero > \"$KERNMILL_OUTPUT/o\"', outputs: [o]}}\n");
  done({"run", "flow.yaml"});
  done({"run", "flow.yaml"});
  const auto runs = world.runs();
  EXPECT_THAT(done({"clean", runs[0].name()}).out, Not(HasSubstr("MiB")));
  const std::string both = done({"clean", runs[0].name(), runs[1].name()}).out;
  EXPECT_EQ(both.find("2.863 MiB"), both.rfind("2.863 MiB")) << both;
  EXPECT_THAT(both, HasSubstr("2.863 MiB"));
  done({"clean", runs[1].name(), "--yes"});
  EXPECT_FALSE(fs::exists(runs[1].root()));
  flow("stages: {b: {inputs: [" + runs[0].attempt("a", 0, 1).string() +
           "/o], run: 'true >\"$KERNMILL_OUTPUT/o\"', outputs: [o]}}\n",
       "reader.yaml");
  done({"run", "reader.yaml"});
  EXPECT_THAT(done({"clean", runs[0].name(), "--yes"}).out, HasSubstr("reads files of it"));
  done({"clean", runs[0].name(), "--yes", "--force"});
  EXPECT_FALSE(fs::exists(runs[0].root()));
}

TEST_F(Changes, RunsAreFoundFromAnotherFolder) {
  flow("stages: {a: {run: 'true'}}\n");
  done({"run", "flow.yaml"});
  const std::string name = world.runs().back().name();
  Invocation elsewhere = world.kernmill({"status"});
  elsewhere.folder = world.folder() / "elsewhere";
  fs::create_directories(elsewhere.folder);
  const Finished shown = run_program(elsewhere);
  EXPECT_THAT(shown.out, HasSubstr(name));
  EXPECT_THAT(shown.err, HasSubstr("no runs here; the newest elsewhere: "));
  elsewhere.argv = {KERNMILL, "resume"};
  const Finished refused = run_program(elsewhere);
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("name it: " + name));
  elsewhere.argv = {KERNMILL, "resume", name};
  EXPECT_THAT(run_program(elsewhere).err, HasSubstr("done already"));
}

}  // namespace
}  // namespace kernmill::testing
