// What commands leave in the audit log.
#include <fstream>

#include <gmock/gmock.h>

#include "kill_world.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AuditCommand : public ::testing::Test {
 protected:
  AuditCommand() : world("diamond.yaml") {
    std::ofstream(world.folder() / "flow.yaml")
        << "params: {word: none}\n"
           "stages: {a: {run: 'test -e ready # ${{ params.word }}'}}\n";
  }
  [[nodiscard]] std::vector<std::string> commands() const {
    std::vector<std::string> found;
    const Json shown = Json::parse(world.run({"audit", "show", "--json"}).out);
    for (const Json& entry : shown.at("entries")) found.push_back(entry.at("command"));
    return found;
  }
  KillWorld world;
};

TEST_F(AuditCommand, ShowsALineOfEveryCommandThatActs) {
  EXPECT_EQ(world.run({"run", "flow.yaml", "--set", "word=hush-hush"}).exit_code, 1);
  std::ofstream(world.folder() / "ready") << "yes";
  EXPECT_EQ(world.run({"resume", "last"}).exit_code, 0);
  EXPECT_EQ(world.run({"status"}).exit_code, 0);
  EXPECT_EQ(world.run({"cancel", "last"}).exit_code, 0);
  EXPECT_EQ(world.run({"clean", "--keep", "0", "--yes"}).exit_code, 0);
  EXPECT_THAT(commands(), ElementsAre("run", "resume", "cancel", "clean"));
  const Finished verified = world.run({"audit", "verify"});
  EXPECT_EQ(verified.exit_code, 0) << verified.out;
  EXPECT_THAT(verified.out, HasSubstr("whole, 4 entries"));
  for (const auto& file : fs::directory_iterator(world.folder() / "runs"))
    if (file.is_regular_file()) {
      EXPECT_EQ(content(file.path()).find("hush-hush"), std::string::npos) << file.path();
      EXPECT_THAT(content(file.path()), HasSubstr("plan_sha256"));
    }
}

TEST_F(AuditCommand, FindsThatTheLogWasCut) {
  EXPECT_EQ(world.run({"run", "flow.yaml"}).exit_code, 1);
  EXPECT_EQ(world.run({"cancel", "last"}).exit_code, 0);
  for (const auto& file : fs::directory_iterator(world.folder() / "runs"))
    if (file.is_regular_file()) {
      const std::string text = content(file.path());
      fs::resize_file(file.path(), text.find('\n') + 1);
    }
  const Finished verified = world.run({"audit", "verify"});
  EXPECT_EQ(verified.exit_code, 1);
  EXPECT_THAT(verified.out, HasSubstr("is missing: the log was cut"));
}

TEST_F(AuditCommand, ALogThatCannotBeWrittenIsToldAndStopsNothing) {
  std::ofstream(world.folder() / "ready") << "yes";
  fs::create_directories(world.folder() / "runs" / ("audit-" + std::to_string(::geteuid()) + ".jsonl"));
  const Finished done = world.run({"run", "flow.yaml"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.err, HasSubstr("warning: the audit log does not have this command"));
}

}  // namespace
}  // namespace kernmill::testing
