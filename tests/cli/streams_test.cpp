// Standard streams that cannot be written, are closed, or have lost their reader; and signals ignored at the
// start.
#include <csignal>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "broken_streams.hpp"
#include "kill_world.hpp"

namespace kernmill::testing {
namespace {

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

/// What each command is called with, in a folder with flow.yaml and a run of it that is done.
const std::map<std::string, std::vector<std::string>> calls{
    {"validate", {"flow.yaml", "flow.yaml --json"}},
    {"plan", {"flow.yaml", "flow.yaml --json"}},
    {"run", {"flow.yaml", "flow.yaml --json"}},
    {"submit", {"flow.yaml --dry-run"}},
    {"resume", {"last", "last --json"}},
    {"status", {"", "--json"}},
    {"results", {"last", "last --csv", "last --json"}},
    {"audit", {"show", "show --json", "verify", "verify --json"}},
    {"logs", {"last top", "last top --json"}},
    {"explain", {"last", "last top", "last --json"}},
    {"cancel", {"last", "last --json"}},
    {"clean", {"last", "last --json"}},
    {"data", {"info none.h5", "import none.csv -o none.h5"}},
    {"model", {"info none.h5"}},
    {"doctor", {"--json"}},
    {"version", {"", "--json"}}};

/// The commands, as the program itself lists them.
std::vector<std::string> commands_in(const std::string& overview) {
  std::vector<std::string> names;
  std::istringstream lines(overview.substr(overview.find("Commands:\n")));
  std::string line, name;
  std::getline(lines, line);
  while (std::getline(lines, line) && std::istringstream(line) >> name) names.push_back(name);
  return names;
}

TEST_F(Streams, OfEveryCommandAreKeptOrTheirLossIsTold) {
  EXPECT_EQ(shell("run flow.yaml").exit_code, 0);
  const std::vector<std::string> names = commands_in(shell("--help").out);
  ASSERT_GT(names.size(), 10U);
  const BrokenStreams streams(world.kernmill({}));
  const std::string program = std::string("'") + KERNMILL + "' ";
  for (const char* words : {"", "help", "--help", "--version", "nonsense", "help run"})
    streams.expect_kept_by(program + words);
  for (const std::string& name : names) {
    streams.expect_kept_by(program + name + " --help");
    const auto words = calls.find(name);
    ASSERT_NE(words, calls.end()) << "how is kernmill " << name << " called? add it to `calls`";
    for (const std::string& more : words->second) streams.expect_kept_by(program + name + " " + more);
  }
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
