// What kernmill-exec makes of a command stage.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "exec_world.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/process.hpp"
#include "temporary_directory.hpp"

namespace kernmill {
namespace {

using ::testing::AllOf;
using testing::ExecWorld;
using ::testing::HasSubstr;

std::string output(const ExecWorld& world, const std::string& stage, unsigned index = 0) {
  return read_file(world.run().attempt(stage, index, 1) / "out.log");
}

TEST(AttemptRunnerCommand, CommitsTheMetricsItWrote) {
  ExecWorld world(
      {ExecWorld::command("c",
                          "echo loss=0.25 >>$KERNMILL_METRICS; echo note=a=b >>$KERNMILL_METRICS; "
                          "echo ok=true >>$KERNMILL_METRICS")});
  ASSERT_EQ(world.carry_out("c"), 0) << world.message("c");
  EXPECT_EQ(world.last_record("c").body["metrics"], (Json{{"loss", 0.25}, {"note", "a=b"}, {"ok", true}}));
}

TEST(AttemptRunnerCommand, MetricsAreNumbersAsProgramsPrintThem) {
  ExecWorld world({ExecWorld::command("c",
                                      "printf '%s\\n' a=.50 b=5. c=+3 d=1e-05 e=-.5 val/loss=NaN f=-Infinity "
                                      "g=inf h=007 i=1.2.3 j=+-1 k=0x10 "
                                      ">$KERNMILL_METRICS")});
  ASSERT_EQ(world.carry_out("c"), 0) << world.message("c");
  EXPECT_EQ(world.last_record("c").body["metrics"], (Json{{"a", 0.5},
                                                          {"b", 5.0},
                                                          {"c", 3},
                                                          {"d", 1e-5},
                                                          {"e", -0.5},
                                                          {"val/loss", "nan"},
                                                          {"f", "-inf"},
                                                          {"g", "inf"},
                                                          {"h", "007"},
                                                          {"i", "1.2.3"},
                                                          {"j", "+-1"},
                                                          {"k", "0x10"}}));
}

TEST(AttemptRunnerCommand, ALineThatIsNoMetricIsLeftOut) {
  ExecWorld world(
      {ExecWorld::command("c", "printf 'loss=1\\nthree words here\\n\\nb=2\\n' >$KERNMILL_METRICS")});
  ASSERT_EQ(world.carry_out("c"), 0) << world.message("c");
  const Json body = world.last_record("c").body;
  EXPECT_EQ(body["metrics"], (Json{{"loss", 1}, {"b", 2}}));
  EXPECT_EQ(body["warning"],
            "a line of KERNMILL_METRICS is no metric, and was left out: line 2: 'three words here'");
}

TEST(AttemptRunnerCommand, LinesThatCountStepsAreAHistoryWhoseLastValuesAreTheMetrics) {
  ExecWorld world({ExecWorld::command(
      "c",
      "printf '%s\\n' 'step=1 loss=.5' 'step=2  loss=.25\tacc=1' 'note=step=3 loss=7' 'step=of a text' "
      "'epoch=3 of 10' >$KERNMILL_METRICS")});
  ASSERT_EQ(world.carry_out("c"), 0) << world.message("c");
  const Json body = world.last_record("c").body;
  EXPECT_EQ(body["metrics"], (Json{{"step", "of a text"},
                                   {"loss", 0.25},
                                   {"acc", 1},
                                   {"note", "step=3 loss=7"},
                                   {"epoch", "3 of 10"}}));
  EXPECT_FALSE(body.contains("warning"));
}

TEST(AttemptRunnerCommand, ItsPeakOfMemoryIsThatOfItsLargestProcess) {
  ExecWorld world({ExecWorld::command("small", "true"),
                   ExecWorld::command("large", "x=$(head -c 60000000 /dev/zero | tr '\\0' x); exit 3")});
  EXPECT_EQ(world.carry_out("small"), 0);
  EXPECT_EQ(world.carry_out("large"), 1);
  const auto peak = [&](const char* stage) {
    return world.last_record(stage).body.at("peak_memory").get<std::uint64_t>();
  };
  EXPECT_GE(peak("large"), 60'000'000U);
  EXPECT_LT(peak("small"), 60'000'000U);
}

// Which of the two contents it has read, nobody knows.
TEST(AttemptRunnerCommand, AnInputThatChangesWhileItRunsLeavesNothingToLaterRuns) {
  for (const bool changes : {false, true}) {
    const std::string run = "cat in.txt >$KERNMILL_OUTPUT/out.txt";
    Stage stage =
        ExecWorld::command("c", changes ? run + "; echo other >in.txt" : run, {{"outputs", {"out.txt"}}});
    stage.inputs_declared = true;
    Input input;
    input.key = "in.txt";
    const testing::TemporaryDirectory place;
    input.path = place.path() / "in.txt";
    std::ofstream(input.path) << "first";
    stage.inputs = {input};
    stage.config["run"] = "cd " + place.path().string() + "; " + stage.config["run"].get<std::string>();
    ExecWorld world({stage});
    ASSERT_EQ(world.carry_out("c"), 0) << world.message("c");
    EXPECT_EQ(world.last_record("c").body.contains("key"), !changes);
  }
}

TEST(AttemptRunnerCommand, DeclaredOutputsBecomeArtifacts) {
  ExecWorld world({ExecWorld::command("c", "mkdir $KERNMILL_OUTPUT/d; echo 42 >$KERNMILL_OUTPUT/d/answer.txt",
                                      {{"outputs", {"d/answer.txt"}}})});
  ASSERT_EQ(world.carry_out("c"), 0) << world.message("c");
  EXPECT_EQ(world.last_record("c").body["artifacts"][0]["bytes"], 3);
}

TEST(AttemptRunnerCommand, MissingOutputIsAFailureThatNamesIt) {
  ExecWorld world({ExecWorld::command("c", "true", {{"outputs", {"answer.txt"}}})});
  EXPECT_EQ(world.carry_out("c"), 1);
  EXPECT_THAT(world.message("c"), HasSubstr("'answer.txt'"));
}

TEST(AttemptRunnerCommand, StopsAtTheFirstCommandThatFailsAndShowsItsWords) {
  ExecWorld world({ExecWorld::command("c", "ls /no/such/file | cat\necho reached")});
  EXPECT_EQ(world.carry_out("c"), 1);
  EXPECT_EQ(output(world, "c"), "");
  EXPECT_THAT(world.message("c"), HasSubstr("/no/such/file"));
}

TEST(AttemptRunnerCommand, SeesItsPlaceItsMatrixAndItsEnvironment) {
  Stage c =
      ExecWorld::command("c",
                         "echo $KERNMILL_STAGE $KERNMILL_INSTANCE $KERNMILL_ATTEMPT $KERNMILL_MATRIX_SIZE "
                         "$LOSS $KERNMILL_LAUNCH; pwd; cat");
  c.needs = {"p"};
  c.matrix.axes = {{"size", {10, 20}}};
  c.env = {{"LOSS", "${{ stages.p.loss }}"}};
  ExecWorld world({ExecWorld::command("p", "true"), c});
  world.commit("p", 0, {{"loss", 0.5}});
  ASSERT_EQ(world.carry_out("c", 1), 0);
  EXPECT_EQ(output(world, "c", 1),
            "c 1 1 20 0.5 env " + std::string(KERNMILL_EXEC) + " --rank\n" + world.path().string() + "\n");
}

TEST(AttemptRunnerCommand, NothingOfAnOuterJobReachesIt) {
  ExecWorld world({ExecWorld::command("c", "env")});
  ASSERT_EQ(world.carry_out("c"), 0);
  EXPECT_THAT(output(world, "c"), AllOf(Not(HasSubstr("PMI_RANK")), Not(HasSubstr("SLURM_JOB_ID")),
                                        HasSubstr("OMP_NUM_THREADS=1"), HasSubstr("OMP_PROC_BIND=false")));
}

TEST(AttemptRunnerCommand, SetupRunsBeforeItAndItsFailureIsTheCommands) {
  Stage good = ExecWorld::command("good", "echo $X"), bad = ExecWorld::command("bad", "echo reached");
  good.setup = {"X=prepared"};
  bad.setup = {"false"};
  ExecWorld world({good, bad});
  EXPECT_EQ(world.carry_out("good"), 0);
  EXPECT_EQ(output(world, "good"), "prepared\n");
  EXPECT_EQ(world.carry_out("bad"), 1);
  EXPECT_EQ(output(world, "bad"), "");
}

TEST(AttemptRunnerCommand, UnknownModuleIsAFailure) {
  Stage c = ExecWorld::command("c", "echo reached");
  c.modules = {"no-such-module/1.0"};
  ExecWorld world({c});
  EXPECT_EQ(world.carry_out("c"), 1);
  EXPECT_EQ(output(world, "c"), "");
}

TEST(AttemptRunnerCommand, LaterAttemptUsesRestartWhenAnEarlierOneHadStarted) {
  ExecWorld world({ExecWorld::command("c", "exit 1", {{"restart", "echo restarted"}})});
  EXPECT_EQ(world.carry_out("c", 0, 1), 1);
  EXPECT_EQ(world.carry_out("c", 0, 2), 0);
  EXPECT_EQ(read_file(world.run().attempt("c", 0, 2) / "out.log"), "restarted\n");
}

TEST(AttemptRunnerCommand, OlderAttemptLeavesTheFieldToANewerOne) {
  ExecWorld world(
      {ExecWorld::command("c", "[ $KERNMILL_ATTEMPT = 2 ] || { echo ready >$PIPE; read x <$PIPE.go; }")});
  testing::EventPipe go(world.pipe().path() + ".go");
  const int older = world.start("c", 0, 1);
  world.pipe().next();
  EXPECT_EQ(world.carry_out("c", 0, 2), 0);
  std::ofstream(go.path()) << "go" << std::endl;
  EXPECT_EQ(reap(older), 1);
  EXPECT_EQ(world.last_record("c", 0, 1).event, "failed");
  EXPECT_THAT(world.message("c"), HasSubstr("attempt 2"));
}

TEST(AttemptRunnerCommand, ReturnsAnyStatusAndOnlyARealSignalIsOne) {
  ExecWorld world({ExecWorld::command("a", "exit 255"), ExecWorld::command("b", "exit 200"),
                   ExecWorld::command("c", "kill -SEGV $$"),
                   ExecWorld::command("d", "bash -c 'kill -SEGV $$'; true")});
  for (const char* stage : {"a", "b", "c", "d"}) EXPECT_EQ(world.carry_out(stage), 1);
  EXPECT_EQ(world.message("a"), "it ended with status 255");
  EXPECT_EQ(world.message("b"), "it ended with status 200");
  EXPECT_EQ(world.last_record("a").body["exit_code"], 255);
  EXPECT_FALSE(world.last_record("a").body.contains("signal"));
  EXPECT_THAT(world.message("c"), HasSubstr("killed by signal 11 (SIGSEGV"));
  EXPECT_EQ(world.last_record("c").body["signal"], 11);
  EXPECT_THAT(world.message("d"),
              HasSubstr("status 139, as a shell does for a program that was killed by signal 11 (SIGSEGV"));
  EXPECT_FALSE(world.last_record("d").body.contains("signal"));
}

TEST(AttemptRunnerCommand, WhosePipeLostItsReaderIsToldOfPipefail) {
  ExecWorld world({ExecWorld::command("c", "yes | head -n 1")});
  EXPECT_EQ(world.carry_out("c"), 1);
  EXPECT_THAT(world.message("c"),
              AllOf(HasSubstr("status 141"), HasSubstr("SIGPIPE"), HasSubstr("pipefail")));
}

TEST(AttemptRunnerCommand, OfMoreThanOneWordHasRoomForIsRunFromAFile) {
  const std::string long_comment = "# " + std::string(200'000, 'x') + "\n";
  Stage c = ExecWorld::command("c", long_comment + "echo $X; false | true; echo reached");
  c.setup = {long_comment + "X=prepared"};
  ExecWorld world({ExecWorld::command("plain", long_comment + "echo done"), c});
  EXPECT_EQ(world.carry_out("plain"), 0) << world.message("plain");
  EXPECT_EQ(output(world, "plain"), "done\n");
  EXPECT_EQ(world.carry_out("c"), 1);
  EXPECT_EQ(output(world, "c"), "prepared\n");  // pipefail and -e hold there, too
}

TEST(AttemptRunnerCommand, ExpressionThatCannotBeComputedIsAFailureThatSaysSo) {
  Stage c = ExecWorld::command("c", "true");
  c.matrix.axes = {{"a", {1}}, {"b", {0}}};
  c.env = {{"X", "${{ matrix.a / matrix.b }}"}};
  ExecWorld world({c});
  EXPECT_EQ(world.carry_out("c"), 1);
  EXPECT_THAT(world.message("c"), HasSubstr("division by zero"));
}

TEST(AttemptRunnerCommand, MetricThatNoNumberCanHoldStaysText) {
  ExecWorld world({ExecWorld::command("c", "echo n=99999999999999999999 >$KERNMILL_METRICS")});
  ASSERT_EQ(world.carry_out("c"), 0) << world.message("c");
  EXPECT_EQ(world.last_record("c").body["metrics"]["n"], "99999999999999999999");
}

TEST(AttemptRunnerCommand, AttemptDirectoryThatCannotBeWrittenIsAFailureThatNamesIt) {
  ExecWorld world({ExecWorld::command("c", "true")});
  // Where the attempt's directory should be made lies a file: this stops root, too.
  std::ofstream(world.run().root() / "stages") << "in the way";
  EXPECT_EQ(world.carry_out("c"), 1);
  EXPECT_THAT(world.message("c"), HasSubstr("stages"));
}

TEST(AttemptRunnerCommand, ReadOnlyAttemptDirectoryIsAFailureThatNamesIt) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  ExecWorld world({ExecWorld::command("c", "true")});
  const auto directory = world.run().attempt("c", 0, 1);
  make_directories(directory);
  std::filesystem::permissions(directory,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  EXPECT_EQ(world.carry_out("c"), 1);
  EXPECT_THAT(world.message("c"), HasSubstr(directory.string()));
}

}  // namespace
}  // namespace kernmill
