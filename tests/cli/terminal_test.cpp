// What a terminal gets of data that try to steer it.
#include <fstream>
#include <regex>

#include <gmock/gmock.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kill_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Each instance, and each file of it, speaks of what a terminal takes for orders.
constexpr const char* hostile = R"(name: flow
params: {evil: "\e]0;owned\a\e[2J\u202Egpj.exe\u009b31m\r"}
stages:
  good:
    matrix: {v: ["\e[1A\e[2Kforged", plain]}
    run: printf 'out \033]0;owned\007 \033[31mred\033[0m \033[2J\302\233K\n'; printf 'x=\033[2J1\n' >> "$KERNMILL_METRICS" || true
  bad:
    needs: good
    run: printf 'first\n\033[2J\033]0;owned\007\rlast words\n' >&2; exit 3
)";

class Terminal : public ::testing::Test {
 protected:
  Terminal() : world("diamond.yaml") { std::ofstream(world.folder() / "flow.yaml") << hostile; }

  /// What a terminal gets from `kernmill WORDS`.
  [[nodiscard]] std::string shown(const std::vector<std::string>& words) const {
    const Invocation invocation = world.kernmill(words);
    int terminal = -1;
    const pid_t pid = ::forkpty(&terminal, nullptr, nullptr, nullptr);
    if (pid == 0) {
      ::setenv("TERM", "xterm", 1);
      ::unsetenv("NO_COLOR");
      for (const auto& [name, value] : invocation.environment) ::setenv(name.c_str(), value.c_str(), 1);
      if (::chdir(invocation.folder.c_str()) != 0) ::_exit(126);
      std::vector<char*> argv;
      for (const std::string& word : invocation.argv) argv.push_back(const_cast<char*>(word.c_str()));
      argv.push_back(nullptr);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    std::string text;
    char buffer[4096];
    for (ssize_t got; (got = ::read(terminal, buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(got));
    ::close(terminal);
    ::waitpid(pid, nullptr, 0);
    return text;
  }

  KillWorld world;
};

/// Colours, and the line of progress, which is ours.
std::string without_colours(const std::string& text) {
  return std::regex_replace(text, std::regex("\x1b\\[[0-9;]*m|\r\x1b\\[K|\r\n"), "");
}

TEST_F(Terminal, GetsNoOrdersFromDataOfARun) {
  const std::string run = shown({"run", "flow.yaml"});
  EXPECT_THAT(run, HasSubstr("last words"));
  EXPECT_THAT(run, HasSubstr("\x1b[31m"));  // ours
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"status"},
        {"status", "--json"},
        {"explain", "last"},
        {"logs", "last", "good"},
        {"logs", "last", "bad", "--err"},
        {"plan", "flow.yaml"},
        {"validate", "no\x1b[2Jwhere.yaml"},
        {"run", "--set", "evil=\x1b[2J", "--set", "no\x1b[2Jne=1", "flow.yaml"},
        {"status", "no\x1b[2Jrun"},
        {"no\x1b[2Jcommand"}}) {
    const std::string text = without_colours(shown(words));
    EXPECT_EQ(text.find_first_of("\x1b\x07\x08\r"), std::string::npos) << words[0] << ": " << text;
    EXPECT_EQ(text.find("\xC2\x9B"), std::string::npos) << words[0];
    EXPECT_EQ(text.find("\xE2\x80\xAE"), std::string::npos) << words[0];
  }
  EXPECT_EQ(without_colours(run).find_first_of("\x1b\x07\x08\r"), std::string::npos) << run;
  EXPECT_THAT(shown({"logs", "last", "good"}), HasSubstr("\x1b[31mred"));
}

TEST_F(Terminal, IsNotWhatAPipeIs) {
  EXPECT_NE(world.run({"run", "flow.yaml"}).exit_code, 0);
  const Finished logs = world.run({"logs", "last", "good"});
  EXPECT_THAT(logs.out, HasSubstr("\x1b]0;owned\x07"));  // as it was written
  const Finished status = world.run({"status"});
  EXPECT_THAT(status.out + status.err, Not(HasSubstr("\x1b")));
  const Finished json = world.run({"plan", "flow.yaml", "--json"});
  EXPECT_THAT(json.out, HasSubstr("\\u001b"));
  EXPECT_THAT(json.out, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace kernmill::testing
