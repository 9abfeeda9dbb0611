// A part of a workflow: --only and --until.
#include <gmock/gmock.h>

#include "kernmill/os/durable_file.hpp"
#include "kill_world.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class PartOfARun : public ::testing::Test {
 protected:
  PartOfARun() : world("diamond.yaml") {
    std::ofstream(world.folder() / "in.txt") << "1";
    std::ofstream(world.folder() / "flow.yaml")
        << "stages:\n"
           "  prepare: {inputs: [./in.txt], outputs: [o], run: 'echo prepare >> ran; cp in.txt "
           "$KERNMILL_OUTPUT/o'}\n"
           "  fit: {matrix: {x: [1, 2]}, inputs: [prepare.o], outputs: [m], run: 'echo fit >> ran; touch "
           "$KERNMILL_OUTPUT/m'}\n"
           "  score: {inputs: [fit], outputs: [s], run: 'echo score >> ran; touch $KERNMILL_OUTPUT/s'}\n"
           "  other: {needs: prepare, run: 'echo other >> ran'}\n";
  }
  [[nodiscard]] std::vector<std::string> ran() const {
    auto lines = world.lines("ran");
    fs::remove(world.folder() / "ran");
    return lines;
  }
  KillWorld world;
};

TEST_F(PartOfARun, UntilAStageIsItAndWhatItNeeds) {
  EXPECT_EQ(world.run({"run", "flow.yaml", "--until", "fit"}).exit_code, 0);
  EXPECT_THAT(ran(), ElementsAre("prepare", "fit", "fit"));
  EXPECT_EQ(world.run({"run", "flow.yaml", "--until", "fit", "--until", "other"}).exit_code, 0);
  EXPECT_THAT(ran(), ElementsAre("other"));
  EXPECT_THAT(world.run({"plan", "flow.yaml", "--until", "fit"}).out,
              AllOf(HasSubstr("2 stages, 3 instances, 3 of them cached"), Not(HasSubstr("score"))));
  EXPECT_THAT(world.run({"submit", "flow.yaml", "--until", "prepare", "--dry-run"}).out,
              AllOf(HasSubstr("### prepare"), Not(HasSubstr("### fit"))));
}

TEST_F(PartOfARun, OnlyAStageTakesTheResultsOfWhatItNeeds) {
  const Finished early = world.run({"run", "flow.yaml", "--only", "score"});
  EXPECT_EQ(early.exit_code, 2);
  EXPECT_THAT(early.err, HasSubstr("--only score: there is no result of 'prepare' that could be taken (no "
                                   "earlier result)"));
  EXPECT_THAT(early.err, HasSubstr("--until score runs what it needs, too"));
  EXPECT_EQ(world.run({"run", "flow.yaml", "--until", "fit"}).exit_code, 0);
  EXPECT_THAT(ran(), ElementsAre("prepare", "fit", "fit"));
  EXPECT_EQ(world.run({"run", "flow.yaml", "--only", "score"}).exit_code, 0);
  EXPECT_THAT(ran(), ElementsAre("score"));
  std::ofstream(world.folder() / "in.txt") << "changed";
  EXPECT_THAT(world.run({"run", "flow.yaml", "--only", "fit"}).err, HasSubstr("(input in.txt changed)"));
  EXPECT_EQ(world.run({"run", "flow.yaml", "--only", "prepare", "--only", "fit"}).exit_code, 0);
  EXPECT_THAT(ran(), ElementsAre("prepare", "fit", "fit"));
}

TEST_F(PartOfARun, NamesStagesThatThereAre) {
  const Finished misspelt = world.run({"run", "flow.yaml", "--only", "scroe"});
  EXPECT_EQ(misspelt.exit_code, 2);
  EXPECT_THAT(misspelt.err,
              AllOf(HasSubstr("there is no stage 'scroe'"), HasSubstr("did you mean 'score'?")));
  EXPECT_THAT(world.run({"plan", "flow.yaml", "--until", "xyz"}).err,
              HasSubstr("the stages are prepare, fit"));
  EXPECT_THAT(world.run({"run", "flow.yaml", "--only", "fit", "--until", "fit"}).err,
              HasSubstr("exclude each other"));
  EXPECT_THAT(world.run({"run", "flow.yaml", "--only", "fit", "--no-cache"}).err,
              HasSubstr("which --no-cache does not look at"));
  EXPECT_TRUE(world.runs().empty());
}

}  // namespace
}  // namespace kernmill::testing
