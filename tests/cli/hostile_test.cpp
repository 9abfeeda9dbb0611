// Workflow files that try to exhaust the login node on which somebody looks at them.
#include <cstdint>
#include <fstream>
#include <functional>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.hpp"
#include "temporary_directory.hpp"

namespace kernmill::testing {
namespace {

using ::testing::AnyOf;
using ::testing::Eq;
using ::testing::HasSubstr;

std::string repeated(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

/// `make` of 0, 1, 2, ... behind each other.
std::string each(int count, const std::function<std::string(const std::string&)>& make) {
  std::string all;
  for (int i = 0; i < count; ++i) all += make(std::to_string(i));
  return all;
}

const std::string stage = "stages: {a: {run: 'true'}}\n";

std::string of_stage(const std::string& settings) {
  return "stages: {a: {run: 'true', " + settings + "}}\n";
}

std::string doubling(const std::string& first, const std::string& more) {
  std::string text = "params:\n  p0: " + first + "\n";
  for (int i = 1; i <= 30; ++i) {
    std::string value = more;
    for (std::size_t at; (at = value.find('@')) != std::string::npos;)
      value.replace(at, 1, std::to_string(i - 1));
    text += "  p" + std::to_string(i) + ": " + value + "\n";
  }
  return text + stage;
}

std::string expression(const std::string& text) {
  return "params: {s: \"${{ " + text + " }}\"}\n" + stage;
}

const std::string ten = ": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";

std::string axes(int count) {
  return each(count, [](const std::string& i) { return "x" + i + ten + ", "; });
}

/// A child's peak memory is at least that of the process it is forked from: texts are made when they are
/// wanted.
using Text = std::function<std::string()>;

struct Hostile {
  std::string name;
  Text text;
  std::string told;  ///< part of what is said
};

std::vector<Hostile> hostile_files() {
  const auto key = [](const std::string& i) { return "k" + i + ": 1\n"; };
  return {
      {"aliases",
       [] {
         return "x: &b '" + repeated("x", 1'000'000) + "'\ny: [" + repeated("*b,", 3000) + "]\n" + stage;
       },
       ":2:"},
      {"laughs",
       [] {
         return "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n" + each(8, [](const std::string& i) {
                  const std::string next = std::to_string(std::stoi(i) + 1);
                  return "a" + next + ": &a" + next + " [" + repeated("*a" + i + ",", 10) + "]\n";
                });
       },
       "values, with what aliases repeat"},
      {"merges",
       [] {
         return "a: &a {" + each(3000, [](const std::string& i) { return "k" + i + ": 1,"; }) +
                "}\nb: {<<: [" + repeated("*a,", 3000) + "]}\n" + stage;
       },
       ":2:"},
      {"texts", [] { return doubling("xxxxxxxxxxxxxxxx", "\"${{ params.p@ }}${{ params.p@ }}\""); },
       "longer than 1 MiB"},
      {"sums", [] { return doubling("xx", "\"${{ params.p@ + params.p@ }}\""); }, "longer than 1 MiB"},
      {"lists", [] { return doubling("[1, 2]", "[\"${{ params.p@ }}\", \"${{ params.p@ }}\"]"); },
       "params are pasted as more than"},
      {"terms", [] { return expression("1" + repeated("+1", 30'000)); }, "more than 1000 terms"},
      {"long_sum", [] { return expression("1" + repeated("+1", 80'000)); }, "128 KiB"},
      {"parentheses", [] { return expression(repeated("(", 50'000) + "1" + repeated(")", 50'000)); },
       "nested too deeply"},
      {"negations", [] { return expression(repeated("!", 50'000) + "true"); }, "nested too deeply"},
      {"brackets", [] { return repeated("[", 100'000); }, "nested deeper than 100 levels"},
      {"maps", [] { return repeated("{a: ", 100'000); }, "nested deeper than 100 levels"},
      {"dashes", [] { return repeated("- ", 100'000); }, "nested deeper than 100 levels"},
      {"questions", [] { return repeated("? ", 100'000); }, "nested deeper than 100 levels"},
      {"empty_lists", [] { return "x: [" + repeated("[],", 700'000) + "]\n" + stage; }, ":1:"},
      {"comment", [] { return "#" + repeated("y", 40'000'000) + "\n" + stage; }, "larger than 32 MiB"},
      {"lines", [] { return repeated("\n", 30'000'000) + stage; }, "more than 4 MiB"},
      {"keys", [=] { return each(100'000, key); }, "more than 10000 keys"},
      {"same_keys", [] { return "params: {" + repeated("k: 1,", 50'000) + "}\n" + stage; },
       "more than 100 mistakes"},
      {"unknown_names",
       [] {
         return of_stage(
             "env: {" +
             each(9000, [](const std::string& i) { return "V" + i + ": \"${{ params.q" + i + " }}\","; }) +
             "}");
       },
       "more than 100 mistakes"},
      {"needs",
       [] {
         return of_stage("needs: [" + each(20'000, [](const std::string& i) { return "q" + i + ","; }) + "]");
       },
       "more than 10000 stages"},
      {"chain",
       [] {
         return "stages:\n  s0: {run: 'true'}\n" + each(9000, [](const std::string& i) {
                  return "  s" + std::to_string(std::stoi(i) + 1) + ": {run: 'true', needs: s" + i + "}\n";
                });
       },
       ""},
      {"cycle",
       [] {
         return "stages:\n" + each(5000, [](const std::string& i) {
                  return "  s" + i + ": {run: 'true', needs: s" + std::to_string((std::stoi(i) + 1) % 5000) +
                         "}\n";
                });
       },
       "wait for each other"},
      {"expressions_of_text",
       [] { return "params: {q: 1}\nstages: {a: {run: \"" + repeated("${{ params.q }}", 8000) + "\"}}\n"; },
       "256 expressions"},
      {"expressions",
       [] { return "params: {q: 1, l: [" + repeated("\"${{ params.q }}\",", 40'000) + "]}\n" + stage; },
       "more than 50000 expressions"},
      {"product", [] { return of_stage("matrix: {" + axes(9) + "}"); }, "more than 16000000 instances"},
      {"products",
       [] {
         return "stages:\n" + each(100, [](const std::string& i) {
                  return "  s" + i + ": {run: 'true', matrix: {" + axes(7) + "}}\n";
                });
       },
       "more than 16000000 instances"},
      {"excluded",
       [] { return of_stage("matrix: {" + axes(7) + "exclude: [" + repeated("{x0: 1},", 1000) + "]}"); },
       "more than 50 million steps"},
      {"exclusions",
       [] {
         return of_stage("matrix: {x: [" + each(20'000, [](const std::string& i) { return i + ","; }) +
                         "], exclude: [" + repeated("{x: none},", 10'000) + "]}");
       },
       "more than 50 million steps"},
      {"device", [] { return std::string("stages: {a: {task: preprocess, input: /dev/zero, target: y}}\n"); },
       "is a device, not a file"},
      {"pipe", [] { return std::string("stages: {a: {task: preprocess, input: fifo, target: y}}\n"); },
       "is a named pipe, not a file"},
      {"pipe_of_command", [] { return of_stage("inputs: [fifo]"); }, "is a named pipe, not a file"},
      {"proc", [] { return std::string("stages: {a: {task: preprocess, input: /proc/kmsg, target: y}}\n"); },
       ":1:"},
      {"wide", [] { return std::string("stages: {a: {task: preprocess, input: wide.csv, target: y}}\n"); },
       "longer than 2 MiB"},
      {"long_path",
       [] {
         return "stages: {a: {task: preprocess, input: '" + repeated("x", 1'000'000) + "', target: y}}\n";
       },
       "there is no file"},
  };
}

std::ostream& operator<<(std::ostream& stream, const Hostile& hostile) {
  return stream << hostile.name;
}

struct Cost {
  int status = 0;
  std::string text;
  double seconds = 0;  ///< of processor time
  long megabytes = 0;
};

/// As `kernmill COMMAND FILE 2>&1`, with what it cost. One that is never done is ended.
Cost cost_of(const std::string& command, const std::filesystem::path& file) {
  const std::filesystem::path out = file.parent_path() / "out";
  const pid_t pid = ::fork();
  if (pid == 0) {
    const int fd = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(fd, 1);
    ::dup2(fd, 2);
    ::setenv("KERNMILL_SITE", "/nonexistent", 1);
    const rlimit seconds{20, 20};
    ::setrlimit(RLIMIT_CPU, &seconds);
    ::alarm(60);
    ::execl(KERNMILL, KERNMILL, command.c_str(), file.c_str(), nullptr);
    ::_exit(127);
  }
  Cost cost;
  rusage used{};
  ::wait4(pid, &cost.status, 0, &used);
  cost.text = content(out);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  cost.seconds = seconds(used.ru_utime) + seconds(used.ru_stime);
  cost.megabytes = used.ru_maxrss / 1024;
  return cost;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_measured = false;
#else
constexpr bool is_measured = true;
#endif

class HostileFile : public ::testing::TestWithParam<Hostile> {};

TEST_P(HostileFile, EndsSoonWithAPlace) {
  const TemporaryDirectory folder;
  const std::filesystem::path file = folder.path() / "flow.yaml";
  std::ofstream(file) << GetParam().text();
  ASSERT_EQ(::mkfifo((folder.path() / "fifo").c_str(), 0600), 0);
  std::ofstream(folder.path() / "wide.csv") << repeated("column,", 1'000'000) << "y\n1\n";
  for (const char* command : {"validate", "plan"}) {
    const Cost cost = cost_of(command, file);
    ASSERT_TRUE(WIFEXITED(cost.status)) << command << " ended by signal " << WTERMSIG(cost.status);
    EXPECT_THAT(WEXITSTATUS(cost.status), AnyOf(Eq(0), Eq(2))) << cost.text.substr(0, 300);
    EXPECT_THAT(cost.text.substr(0, 4000), HasSubstr("flow")) << command;
    EXPECT_THAT(cost.text, HasSubstr(GetParam().told)) << command;
    if (!is_measured) continue;
    EXPECT_LT(cost.seconds, 2) << command;
    EXPECT_LT(cost.megabytes, 200) << command;
  }
}

INSTANTIATE_TEST_SUITE_P(All, HostileFile, ::testing::ValuesIn(hostile_files()),
                         [](const auto& given) { return given.param.name; });

TEST(LegitimateFile, OfAMillionValuesIsValid) {
  const TemporaryDirectory folder;
  const std::filesystem::path file = folder.path() / "flow.yaml";
  std::ofstream(file) << of_stage("matrix: {x: [" +
                                  each(1'000'000, [](const std::string& i) { return i + ","; }) + "]}");
  const Cost cost = cost_of("validate", file);
  EXPECT_THAT(cost.text, HasSubstr("valid, 1 stage"));
  if (is_measured) {
    EXPECT_LT(cost.megabytes, 200);
  }
  std::ofstream(file) << of_stage("matrix: {x: [" + each(1000, [](const std::string& i) { return i + ","; }) +
                                  "], y: [" + each(1000, [](const std::string& i) { return i + ","; }) +
                                  "]}");
  EXPECT_THAT(cost_of("plan", file).text, HasSubstr("1000000 instances"));
}

TEST(HostileSettings, OfASiteThatAreNoFileAreRefusedAtOnce) {
  const TemporaryDirectory folder;
  std::ofstream(folder.path() / "flow.yaml") << stage;
  ASSERT_EQ(::mkfifo((folder.path() / "fifo").c_str(), 0600), 0);
  for (const std::string& site : {std::string("/dev/zero"), (folder.path() / "fifo").string()}) {
    const Finished finished =
        run_program({{KERNMILL, "validate", "flow.yaml"}, folder.path(), {{"KERNMILL_SITE", site}}});
    EXPECT_EQ(finished.exit_code, 2);
    EXPECT_THAT(finished.err, HasSubstr(site + " is no regular file"));
  }
  EXPECT_EQ(
      run_program({{KERNMILL, "validate", "flow.yaml"}, folder.path(), {{"KERNMILL_SITE", "/dev/null"}}})
          .exit_code,
      0);
}

TEST(LegitimateFile, MayComeFromAPipe) {
  const Finished finished = run_program(
      {{"/bin/bash", "-c", std::string("'") + KERNMILL + "' validate <(echo \"stages: {a: {run: echo}}\")"},
       "",
       {}});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
}

}  // namespace
}  // namespace kernmill::testing
