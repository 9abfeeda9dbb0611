// A result that was deleted after it had been committed.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "kill_world.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class LostResult : public ::testing::Test {
 protected:
  LostResult() : world("diamond.yaml") {
    std::ofstream(world.folder() / "flow.yaml")
        << "stages:\n"
           "  a: {run: 'echo $KERNMILL_ATTEMPT > $KERNMILL_OUTPUT/o', outputs: [o]}\n"
           "  b: {run: 'cat \"$FILE\" > told; test -e ready', env: {FILE: '${{ stages.a.o }}'}}\n";
  }
  [[nodiscard]] fs::path result(unsigned attempt) const {
    return world.runs().back().attempt("a", 0, attempt) / "o";
  }
  [[nodiscard]] std::string told() const {
    std::ifstream file(world.folder() / "told");
    std::string line;
    std::getline(file, line);
    return line;
  }
  KillWorld world;
};

TEST_F(LostResult, IsMadeAgainWhenTheRunIsResumedAndItIsSaid) {
  EXPECT_EQ(world.run({"run", "flow.yaml"}).exit_code, 1);
  fs::remove(result(1));
  std::ofstream(world.folder() / "ready") << "yes";
  const Finished resumed = world.run({"resume", "last"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("a is made again: " + result(1).string() + " is gone"));
  EXPECT_EQ(told(), "2");
  EXPECT_THAT(world.run({"explain", "last", "a"}).out,
              HasSubstr("(2 attempts); made again, since " + result(1).string() + " is gone"));
  EXPECT_THAT(world.run({"status", "last", "--json"}).out, HasSubstr("\"made_again\""));
}

TEST_F(LostResult, IsStillToBeMadeAgainWhenWhoeverSawItWasKilled) {
  EXPECT_EQ(world.run({"run", "flow.yaml"}).exit_code, 1);
  fs::remove(result(1));
  std::ofstream(world.folder() / "ready") << "yes";
  Invocation dying = world.kernmill({"resume", "last"}, KERNMILL_DYING);
  dying.environment.emplace_back("KERNMILL_TEST_DIE_AT", "2");  // `result_lost` is durable
  EXPECT_EQ(run_program(dying).exit_code, 137);
  EXPECT_THAT(world.run({"status"}).out, HasSubstr("a is made again: " + result(1).string() + " is gone"));
  EXPECT_EQ(world.run({"resume", "last"}).exit_code, 0);
  EXPECT_EQ(told(), "2");
}

TEST_F(LostResult, ThatWasChangedIsNotReadAndIsMadeAgain) {
  std::ofstream(world.folder() / "flow.yaml")
      << "stages:\n"
         "  a: {run: 'echo $KERNMILL_ATTEMPT > $KERNMILL_OUTPUT/o', outputs: [o]}\n"
         "  spoil: {needs: a, run: 'test -e ready || echo 7 > \"$(dirname \"$FILE\")/o\"', env: {FILE: '${{ "
         "stages.a.o }}'}}\n"
         "  b: {needs: spoil, run: 'cat \"$FILE\" > told', env: {FILE: '${{ stages.a.o }}'}}\n";
  const Finished first = world.run({"run", "flow.yaml"});
  EXPECT_EQ(first.exit_code, 1);
  EXPECT_THAT(first.err, HasSubstr(result(1).string() + " is not what a committed"));
  EXPECT_FALSE(fs::exists(world.folder() / "told"));
  std::ofstream(world.folder() / "ready") << "yes";
  const Finished resumed = world.run({"resume", "last"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("has been changed since it was committed"));
  EXPECT_EQ(told(), "2");
}

TEST_F(LostResult, OfARunThatIsDoneIsMadeAgainAndNothingElse) {
  std::ofstream(world.folder() / "ready") << "yes";
  EXPECT_EQ(world.run({"run", "flow.yaml"}).exit_code, 0);
  std::ofstream(result(1)) << "longer than before\n";
  EXPECT_THAT(world.run({"resume", "last"}).err, HasSubstr("has 19 bytes, and had 2 when it was committed"));
  EXPECT_TRUE(fs::exists(result(2)));
  EXPECT_EQ(told(), "1");
  EXPECT_THAT(world.run({"resume", "last"}).err, HasSubstr("done already"));
}

}  // namespace
}  // namespace kernmill::testing
