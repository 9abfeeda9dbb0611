#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/run/journal/journal.hpp"
#include "slurm_world.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;

/// A cluster whose slurmstepds load the SPANK plug-in, and a run directory.
class SpankWorld : public SlurmWorld {
 public:
  SpankWorld() : SlurmWorld({.nodes = 2}) {
    fs::create_directories(run_folder() / "journal");
    std::ofstream(configuration().parent_path() / "plugstack.conf")
        << "optional " << KERNMILL_SPANK_FILE << " interval=50\n";
  }
  [[nodiscard]] fs::path run_folder() const { return path() / "runs" / "iris-1"; }

  /// Starts srun in a step's environment, as kernmill-exec does.
  Finished srun(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"srun", "--mem=60M"});
    return run_program({.argv = arguments,
                        .folder = path(),
                        .environment = {{"KERNMILL_RUN", run_folder().string()},
                                        {"KERNMILL_STAGE", "fit"},
                                        {"KERNMILL_INSTANCE", "4"},
                                        {"KERNMILL_ATTEMPT", "2"}}});
  }

  /// The records of the journal by rank; every file has to be readable as a journal.
  [[nodiscard]] std::map<int, Json> ranks() const {
    std::map<int, Json> found;
    EXPECT_NO_THROW(fold_journal(run_folder() / "journal"));
    for (const auto& file : fs::directory_iterator(run_folder() / "journal")) {
      std::ifstream stream(file.path());
      for (std::string line; std::getline(stream, line);) {
        const Json record = Json::parse(line);
        EXPECT_EQ(record.at("event"), "rank_ended");
        found[record.at("rank")] = record;
      }
    }
    return found;
  }
};

TEST(SpankPlugin, EveryRankLeavesItsExitStatus) {
  KERNMILL_NEEDS_SLURM();
  const SpankWorld world;
  EXPECT_NE(world.srun({"-N2", "-n4", "--ntasks-per-node=2", "sh", "-c", "exit $SLURM_PROCID"}).exit_code, 0);
  const auto ranks = world.ranks();
  ASSERT_EQ(ranks.size(), 4U);
  for (const auto& [rank, record] : ranks) {
    EXPECT_EQ(record.at("exit_code"), rank);
    EXPECT_EQ(record.at("stage"), "fit");
    EXPECT_EQ(record.at("instance"), 4);
    EXPECT_EQ(record.at("attempt"), 2);
    EXPECT_EQ(record.at("step"), "0");
    EXPECT_EQ(record.at("node"), rank < 2 ? "n1" : "n2");
  }
}

TEST(SpankPlugin, ASignalIsToldFromAnExit) {
  KERNMILL_NEEDS_SLURM();
  const SpankWorld world;
  world.srun({"-n2", "sh", "-c", "test $SLURM_PROCID = 1 && kill -9 $$; exit 0"});
  const auto ranks = world.ranks();
  ASSERT_EQ(ranks.size(), 2U);
  EXPECT_EQ(ranks.at(0).at("exit_code"), 0);
  EXPECT_EQ(ranks.at(1).at("signal"), 9);
  EXPECT_FALSE(ranks.at(1).contains("exit_code"));
}

TEST(SpankPlugin, AStepThatIsKilledIsRecordedOnAllItsNodes) {
  KERNMILL_NEEDS_SLURM();
  const SpankWorld world;
  Program step({.argv = {"srun", "--mem=60M", "-N2", "-n2", "--job-name=doomed", "sh", "-c",
                         "touch up.$SLURM_PROCID; exec sleep 100"},
                .folder = world.path(),
                .environment = {{"KERNMILL_RUN", world.run_folder().string()}}});
  wait_until("both ranks",
             [&] { return fs::exists(world.path() / "up.0") && fs::exists(world.path() / "up.1"); });
  world.run({"scancel", "--name=doomed"});
  wait_until("both records", [&] { return world.ranks().size() == 2; });
  for (const auto& [rank, record] : world.ranks()) EXPECT_EQ(record.at("signal"), 15) << rank;
}

TEST(SpankPlugin, TheLastSampleShowsWhatARankNeededBeforeItWasKilledForMemory) {
  KERNMILL_NEEDS_SLURM();
  const SpankWorld world;
  const Finished step = world.srun({"-n1", "perl", "-e", "my $x = 'a' x (200 << 20); sleep 30"});
  EXPECT_THAT(step.err, HasSubstr("memory limit"));
  const auto ranks = world.ranks();
  ASSERT_EQ(ranks.size(), 1U);
  EXPECT_GT(ranks.at(0).at("memory"), 150 << 20);
  EXPECT_TRUE(ranks.at(0).contains("signal"));
}

TEST(SpankPlugin, ABatchScriptIsRecordedOnlyWhenItWasKilled) {
  KERNMILL_NEEDS_SLURM();
  const SpankWorld world;
  const auto submit = [&](const std::string& script) {
    std::ofstream(world.path() / "job.sh") << "#!/bin/sh\n" << script << '\n';
    run_program({.argv = {"sbatch", "--wait", "--mem=60M", "job.sh"},
                 .folder = world.path(),
                 .environment = {{"KERNMILL_RUN", world.run_folder().string()}}});
  };
  submit("exit 3");
  EXPECT_THAT(world.ranks(), IsEmpty());
  submit("kill -9 $$");
  const auto ranks = world.ranks();
  ASSERT_EQ(ranks.size(), 1U);
  EXPECT_EQ(ranks.at(0).at("step"), "batch");
  EXPECT_EQ(ranks.at(0).at("signal"), 9);
}

TEST(SpankPlugin, StepsOfOthersAndUnwritableRunsAreLeftInPeace) {
  KERNMILL_NEEDS_SLURM();
  const SpankWorld world;
  world.run({"srun", "--mem=60M", "true"});
  EXPECT_THAT(world.ranks(), IsEmpty());
  fs::remove_all(world.run_folder());
  EXPECT_EQ(world.srun({"true"}).exit_code, 0) << "a run that is gone is no reason for a step to fail";
}

TEST(SpankPlugin, AJobThatIsStartedByHandJoinsTheRunThatItNames) {
  KERNMILL_NEEDS_SLURM();
  const SpankWorld world;
  world.run({"srun", "--mem=60M", "--kernmill-run=iris-1", "true"});
  EXPECT_EQ(world.ranks().at(0).at("exit_code"), 0);
  world.run(
      {"sbatch", "--wait", "--mem=60M", "-n2", "--kernmill-run=runs/iris-1", "--wrap", "srun -n2 true"});
  EXPECT_THAT(world.ranks(), Contains(Key(1)));
  const Finished refused = run_program({.argv = {"sbatch", "--kernmill-run=nothing", "--wrap", "true"},
                                        .folder = world.path(),
                                        .environment = {}});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("there is no such run"));
}

}  // namespace
}  // namespace kernmill::testing
