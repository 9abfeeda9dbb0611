// Runs whose files hold values of other types: told with file, line and what to do, never by an exception's
// name.
#include <fstream>

#include <gmock/gmock.h>

#include "kill_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class DamagedRun : public ::testing::Test {
 protected:
  DamagedRun() : world("diamond.yaml") {
    EXPECT_EQ(world.run({"run", "flow.yaml"}).exit_code, 0);
    run = world.runs().back().root();
  }

  /// Each command that reads the run says so, and does nothing else.
  void expect_told(const std::string& what) const {
    for (const char* command : {"status", "explain", "logs", "resume"}) {
      const Finished finished = world.run({command, "last"});
      // Logs need no journal, and a run that is done is not looked at further.
      if (finished.exit_code == 0 &&
          (std::string(command) == "logs" || finished.err.find("done already") != std::string::npos))
        continue;
      EXPECT_EQ(finished.exit_code, 3) << command << finished.out;
      EXPECT_THAT(finished.err, AllOf(HasSubstr(what), Not(HasSubstr("json.exception")))) << command;
    }
  }

  KillWorld world;
  std::filesystem::path run;
};

TEST_F(DamagedRun, ByALineOfTheJournalWithOtherTypesIsTold) {
  std::ofstream(run / "journal" / "x.exec.jsonl")
      << R"({"v":1,"time":"2026-11-29T15:54:18.870Z","event":"committed","stage":"top","instance":0,"attempt":1,"metrics":5})"
      << "\n";
  expect_told("x.exec.jsonl:1: the journal is damaged here: 'metrics'");
}

TEST_F(DamagedRun, ByAnInstanceThatThePlanDoesNotHaveIsTold) {
  std::ofstream(run / "journal" / "x.exec.jsonl")
      << R"({"v":1,"event":"committed","stage":"top","instance":99999999,"attempt":1,"metrics":{}})"
      << "\n";
  expect_told("the journal speaks of instance 99999999 of stage top, of which plan.json has 1");
}

TEST_F(DamagedRun, ByAPlanWithOtherTypesIsTold) {
  std::ofstream(run / "plan.json") << R"({"schema_version":1,"workflow":{"name":5}})"
                                   << "\n";
  expect_told("plan.json cannot be used: type must be string, but is number");
}

TEST_F(DamagedRun, ByALockWithOtherTypesCanBeLookedAt) {
  std::ofstream(run / "conductor.lock") << R"({"pid":"x","host":[]})"
                                        << "\n";
  const Finished finished = world.run({"status", "last"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
}

}  // namespace
}  // namespace kernmill::testing
