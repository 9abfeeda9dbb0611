// Standard streams that cannot be written, are closed, or have lost their reader; and signals ignored at the
// start.
#include <csignal>
#include <fstream>
#include <optional>

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "kill_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::HasSubstr;

class Streams : public ::testing::Test {
 protected:
  Streams() : world("diamond.yaml") {}

  /// As a shell runs it: `kernmill WORDS`.
  [[nodiscard]] Finished shell(const std::string& words) const {
    Invocation invocation = world.kernmill({});
    invocation.argv = {"/bin/bash", "-c", std::string("'") + KERNMILL + "' " + words};
    return run_program(invocation);
  }
  [[nodiscard]] std::string outcome() const { return fold_journal(world.runs().back().journal()).outcome; }
  KillWorld world;
};

TEST_F(Streams, AFullStderrLosesMessagesAndNothingElse) {
  EXPECT_EQ(shell("run flow.yaml 2>/dev/full").exit_code, 0);
  EXPECT_EQ(outcome(), "done");
  EXPECT_EQ(shell("run no-such-flow.yaml 2>/dev/full").exit_code, 2);
}

TEST_F(Streams, AFullStdoutIsAnErrorOfWhatShouldHavePrinted) {
  EXPECT_EQ(shell("run flow.yaml").exit_code, 0);
  const Finished status = shell("status >/dev/full");
  EXPECT_EQ(status.exit_code, 3);
  EXPECT_THAT(status.err, HasSubstr("cannot write to the standard output: No space left on device"));
}

TEST_F(Streams, ThatAreClosedGiveTheirNumbersToNoFile) {
  EXPECT_EQ(shell("run flow.yaml <&- >&- 2>&-").exit_code, 0);
  EXPECT_EQ(outcome(), "done");  // every line of the journal can be read
  const std::filesystem::path run = world.runs().back().root();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(run)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path());
    const std::string text(std::istreambuf_iterator<char>(file), {});
    EXPECT_EQ(text.find("Done in"), std::string::npos) << entry.path();
    EXPECT_EQ(text.find("next  kernmill"), std::string::npos) << entry.path();
  }
}

TEST_F(Streams, AReaderThatHasGoneDoesNotEndTheRun) {
  const Finished finished = shell("run flow.yaml 2>&1 | true; exit ${PIPESTATUS[0]}");
  EXPECT_NE(finished.exit_code, 128 + SIGPIPE);
  EXPECT_EQ(outcome(), "done");
}

TEST(HangUp, IsIgnoredWhereItWasWhenTheRunStarted) {
  const KillWorld world("patient.yaml");
  std::ofstream(world.folder() / "flow.yaml")
      << "stages: {only: {run: 'echo x > started; read line < go'}}\n";
  for (const char* name : {"started", "go"}) ASSERT_EQ(::mkfifo((world.folder() / name).c_str(), 0600), 0);
  Invocation invocation = world.kernmill({});
  invocation.argv = {"/bin/bash", "-c", std::string("trap '' HUP; exec '") + KERNMILL + "' run flow.yaml"};
  Program program(invocation);
  std::string word;
  std::getline(std::ifstream(world.folder() / "started"), word);
  program.send(SIGHUP);
  std::ofstream(world.folder() / "go") << "go" << std::endl;
  EXPECT_EQ(program.wait().exit_code, 0);
}

}  // namespace
}  // namespace kernmill::testing
