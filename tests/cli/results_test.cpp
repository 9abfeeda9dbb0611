// What a command's metrics become: a search over a command, its table, its best.
#include <fstream>

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "kernmill/os/durable_file.hpp"
#include "kill_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::HasSubstr;

class CommandSearch : public ::testing::Test {
 protected:
  /// Six trials; those of lr 1 find no number.
  void workflow(const std::string& more) {
    std::ofstream(world.folder() / "flow.yaml") << R"(
stages:
  search:
    task: tune
    run: |
      echo "$KERNMILL_POINT_LR ${{ point.kind }} $GIVEN" > $KERNMILL_OUTPUT/model.txt
      if [ ${{ point.lr }} = 1 ]; then echo loss=nan; else
      awk 'BEGIN {l = ${{ point.lr }} - 0.1; printf "loss=%g\n", l * l}'; fi > $KERNMILL_METRICS
    env: {GIVEN: "lr=${{ point.lr }}"}
    space: {lr: [1e-3, 0.10, 1], kind: [3.10, b]}
    objective: {metric: loss, goal: min}
)" << more;
  }
  [[nodiscard]] std::string left(const std::string& name) const {
    return read_file(world.runs().back().attempt("search", 6, 1) / name);
  }
  KillWorld world{"diamond.yaml"};
};

TEST_F(CommandSearch, GivesEachTrialItsPointAndOthersTheBest) {
  workflow(R"(
    inputs: []
    outputs: [model.txt]
  use:
    run: 'cat "$MODEL" > used; echo "$BEST" >> used; grep "\"lr\": 0.1" "$FILE" >> used'
    inputs: [search.best]
    env: {MODEL: "${{ stages.search['model.txt'] }}", BEST: "${{ stages.search.value }}",
          FILE: "${{ stages.search.best }}"}
)");
  const Finished run = world.run({"run", "flow.yaml"});
  ASSERT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_EQ(world.lines("used"), (std::vector<std::string>{"0.10 3.10 lr=0.10", "0", "    \"lr\": 0.1,"}));
  EXPECT_EQ(left("trials.csv"),
            "trial,lr,kind,value,status\n0,1e-3,3.10,0.009801,committed\n1,1e-3,b,0.009801,committed\n"
            "2,0.10,3.10,0,committed\n3,0.10,b,0,committed\n4,1,3.10,,no value\n5,1,b,,no value\n");
  const Json best = Json::parse(left("best.json"));
  EXPECT_EQ(best["point"], (Json{{"lr", 0.1}, {"kind", 3.1}}));
  EXPECT_EQ(best["metrics"], (Json{{"loss", 0}}));
  EXPECT_THAT(run.out, HasSubstr("point      lr=0.1  kind=3.1"));

  const Json again = Json::parse(world.run({"run", "flow.yaml", "--json"}).out);
  EXPECT_EQ(again["stages"][0]["cached"], 7) << "with inputs and outputs declared, trials are cached";
}

TEST_F(CommandSearch, IsPackedAndLeavesNoFolderOfATrial) {
  workflow("    pack: 6\n");
  const Finished run = world.run({"run", "flow.yaml", "-j", "2"});
  ASSERT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_EQ(Json::parse(left("best.json"))["trial"], 2);
  EXPECT_FALSE(std::filesystem::exists(world.runs().back().attempt("search", 0, 1)));
}

TEST_F(CommandSearch, WithoutTheMetricSaysWhatItsTrialsWroteInItsPlace) {
  std::ofstream(world.folder() / "flow.yaml") << R"(
stages:
  search:
    task: tune
    run: echo los=${{ point.x }} > $KERNMILL_METRICS
    space: {x: {int_uniform: [1, 3]}}
    objective: {metric: loss, goal: min}
)";
  const Finished run = world.run({"run", "flow.yaml"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err,
              HasSubstr("none of the 3 trials of search has a finite value of loss: the metrics that "
                        "they have written are los"));
}

class MetricsOfACommand : public ::testing::Test {
 protected:
  void workflow(const std::string& stages) {
    std::ofstream(world.folder() / "flow.yaml") << "stages:\n" << stages;
  }
  KillWorld world{"diamond.yaml"};
};

TEST_F(MetricsOfACommand, HaveAHistoryOfThoseThatWerePackedToo) {
  workflow(R"(
  alone: {run: "printf '%s\\n' 'step=1 loss=.5' 'step=2 loss=nan acc=1' >$KERNMILL_METRICS"}
  packed:
    matrix: {x: [1, 2]}
    pack: 2
    run: "printf 'epoch=1 loss=%s\\nepoch=2 loss=0\\n' ${{ matrix.x }} >$KERNMILL_METRICS"
)");
  ASSERT_EQ(world.run({"run", "flow.yaml"}).exit_code, 0);
  EXPECT_EQ(world.run({"results", "last", "--history", "alone"}).out,
            "step  loss  acc\n1     0.5   -\n2     nan   1\n");
  EXPECT_EQ(world.run({"results", "last", "--history", "packed", "--csv"}).out,
            "instance,epoch,loss\npacked[0],1,1\npacked[0],2,0\npacked[1],1,2\npacked[1],2,0\n");
  const Json json = Json::parse(world.run({"results", "last", "--history", "packed.1", "--json"}).out);
  EXPECT_EQ(json["instances"][0]["rows"][0], (Json{{"epoch", 1}, {"loss", 2}}));
  EXPECT_THAT(world.run({"results", "last", "--history", "packed.7"}).err, HasSubstr("no instance '7'"));
}

TEST_F(MetricsOfACommand, AreShownWhileItRuns) {
  workflow(R"(
  fit: {run: 'echo step=7 loss=.5 >$KERNMILL_METRICS; echo >begun; read line <go'}
  each: {matrix: {x: [1, 2]}, run: 'echo loss=$KERNMILL_MATRIX_X >$KERNMILL_METRICS; echo >begun; read line <go'}
)");
  for (const char* pipe : {"begun", "go"}) ASSERT_EQ(::mkfifo((world.folder() / pipe).c_str(), 0600), 0);
  // Open for both: neither side ever sees the end of it.
  std::fstream begun(world.folder() / "begun"), go(world.folder() / "go");
  Program running(world.kernmill({"run", "flow.yaml", "-j", "3"}));
  std::string line;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(std::getline(begun, line));
  EXPECT_THAT(world.run({"status"}).out, HasSubstr("step 7  loss 0.5"));
  EXPECT_THAT(world.run({"status", "last", "each"}).out,
              HasSubstr("x  loss  state\n  1  1     running\n  2  2     running\n"));
  go << "\n\n\n" << std::flush;
  EXPECT_EQ(running.wait().exit_code, 0);
}

TEST_F(MetricsOfACommand, ThatCannotBeReadAreAWarningWhereverOneLooks) {
  workflow("  fit: {run: \"printf 'loss=1\\\\nno metric\\\\n' >$KERNMILL_METRICS\"}\n");
  const std::string warning =
      "a line of KERNMILL_METRICS is no metric, and was left out: line 2: 'no metric'";
  const Finished run = world.run({"run", "flow.yaml"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(run.err, HasSubstr("warning: fit: " + warning));
  EXPECT_THAT(world.run({"status"}).out, HasSubstr(warning));
  EXPECT_THAT(world.run({"explain", "last"}).out, HasSubstr(warning));
  EXPECT_THAT(world.run({"results"}).err, HasSubstr("warning: fit: " + warning));
  EXPECT_THAT(world.run({"results", "--json"}).out, HasSubstr(warning));
  const Json status = Json::parse(world.run({"status", "--json"}).out);
  EXPECT_EQ(status["instances"][0]["warning"], warning);
  EXPECT_EQ(status["stages"][0]["warnings"], 1);
}

TEST_F(MetricsOfACommand, TheTableThatRunPrintsIsInTheStatusOfItsStage) {
  workflow("  each: {matrix: {x: [1, 2]}, run: 'echo loss=$KERNMILL_MATRIX_X >$KERNMILL_METRICS'}\n");
  const Finished run = world.run({"run", "flow.yaml"});
  EXPECT_EQ(run.out, "each\n  x  loss\n  1  1\n  2  2\n");
  EXPECT_THAT(world.run({"status", "last", "each"}).out, HasSubstr(run.out));
}

TEST_F(MetricsOfACommand, AttemptsAreExplainedWithTheLimitThatTheyMet) {
  workflow(
      "  slow: {run: 'sleep 100', time: 1s}\n"
      "  bad: {run: \"printf 'Traceback:\\\\n%0200d\\\\nValueError: bad\\\\n' 0 >&2; exit 1\"}\n");
  EXPECT_EQ(world.run({"run", "flow.yaml"}).exit_code, 1);
  const std::string slow = world.run({"explain", "last", "slow.0"}).out;
  EXPECT_THAT(slow, HasSubstr("attempt 1  failed (timeout)"));
  EXPECT_THAT(slow, HasSubstr(" of 1s, "));
  EXPECT_THAT(slow, HasSubstr("peak memory "));
  EXPECT_THAT(slow, HasSubstr("--set slow.resources.time=2s"));
  EXPECT_THAT(world.run({"status"}).out, HasSubstr("--set slow.resources.time=2s"));
  EXPECT_THAT(world.run({"explain", "last"}).out,
              HasSubstr("error after 1 attempt: it ended with status 1: ... ValueError: bad"));
}

}  // namespace
}  // namespace kernmill::testing
