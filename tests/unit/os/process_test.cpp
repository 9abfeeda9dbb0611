#include "kernmill/os/process.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "event_pipe.hpp"
#include "temporary_directory.hpp"

namespace kernmill {
namespace {

using ::testing::AllOf;
using testing::EventPipe;
using ::testing::HasSubstr;

class Process : public ::testing::Test {
 protected:
  SpawnOptions shell(const std::string& text) {
    SpawnOptions options;
    options.argv = {"bash", "-c", text};
    options.env = {{"PATH", "/usr/bin:/bin"}, {"PIPE", pipe_.path()}, {"KERNMILL_TOKEN", token_}};
    options.out = options.err = log_.string();
    return options;
  }
  std::string log() {
    std::ostringstream text;
    text << std::ifstream(log_).rdbuf();
    return text.str();
  }
  static std::string error_of(const SpawnOptions& options) {
    try {
      reap(spawn(options));
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "no error";
  }

  testing::TemporaryDirectory directory_;
  EventPipe pipe_{directory_.path() / "pipe"};
  std::filesystem::path log_ = directory_.path() / "log";
  std::string token_ = "test/" + directory_.path().filename().string();
};

TEST_F(Process, RunsWithExactlyItsEnvironmentAndAppendsItsOutput) {
  std::ofstream(log_) << "before\n";
  SpawnOptions options = shell("");
  options.argv = {"env"};
  options.env = {{"PATH", "/usr/bin:/bin"}, {"A", "b=c"}};
  EXPECT_EQ(reap(spawn(options)), 0);
  EXPECT_EQ(log(), "before\nPATH=/usr/bin:/bin\nA=b=c\n");
}

TEST_F(Process, InheritsNoFileSignalStateOrGroup) {
  const int leak = ::fcntl(STDIN_FILENO, F_DUPFD, 100);  // not closed on exec
  ASSERT_GE(leak, 0);
  ::signal(SIGUSR2, SIG_IGN);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
  SpawnOptions grep = shell("");  // a shell has signal states of its own
  grep.argv = {"grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"};
  reap(spawn(grep));
  SpawnOptions ls = shell("");
  ls.argv = {"ls", "/proc/self/fd"};
  reap(spawn(ls));
  reap(spawn(shell("[ $(cut -d' ' -f5 /proc/$$/stat) = $$ ] && echo leader; readlink /proc/$$/fd/0")));
  ::sigprocmask(SIG_UNBLOCK, &blocked, nullptr);
  ::signal(SIGUSR2, SIG_DFL);
  ::close(leak);
  EXPECT_THAT(log(), AllOf(HasSubstr("SigBlk:\t0000000000000000"), HasSubstr("SigIgn:\t0000000000000000"),
                           HasSubstr("leader"), HasSubstr("/dev/null")));
  EXPECT_THAT(log(), Not(HasSubstr("\n" + std::to_string(leak) + "\n")));
}

TEST_F(Process, ExitStatusAndEndingSignalAreTold) {
  EXPECT_EQ(reap(spawn(shell("exit 3"))), 3);
  EXPECT_EQ(reap(spawn(shell("kill -SEGV $$"))), 128 + SIGSEGV);
}

TEST_F(Process, MissingProgramIsAnErrorThatSaysWhereItWasSought) {
  SpawnOptions options = shell("");
  options.argv = {"no-such-program"};
  EXPECT_THAT(error_of(options), AllOf(HasSubstr("no-such-program"), HasSubstr("/usr/bin:/bin")));
}

TEST_F(Process, UnusableDirectoryAndOutputFileAreErrorsThatNameThem) {
  SpawnOptions options = shell("true");
  options.work_dir = "/no/such/directory";
  EXPECT_THAT(error_of(options), HasSubstr("/no/such/directory"));
  options = shell("true");
  options.out = "/no/such/log";
  EXPECT_THAT(error_of(options), HasSubstr("/no/such/log"));
}

TEST_F(Process, FileWithoutTheRightToRunItIsAnError) {
  SpawnOptions options = shell("true");
  options.argv = {"/etc/passwd"};
  EXPECT_THAT(error_of(options), AllOf(HasSubstr("/etc/passwd"), HasSubstr("Permission denied")));
}

TEST_F(Process, IsKnownByNumberAndStart) {
  const int child = spawn(shell("echo ready >$PIPE; exec sleep 1000"));
  pipe_.next();
  const auto start = start_time_of(child);
  EXPECT_TRUE(is_alive(child, start));
  EXPECT_FALSE(is_alive(child, start + 1)) << "another process that took the number";
  EXPECT_FALSE(signal_process(child, start + 1, SIGKILL));
  EXPECT_TRUE(signal_process(child, start, SIGKILL));
  end_tree(child, start, "");
  EXPECT_FALSE(is_alive(child, start)) << "a zombie has ended";
  EXPECT_EQ(reap(child), 128 + SIGKILL);
  EXPECT_EQ(start_time_of(child), 0U);
}

TEST_F(Process, EndTreeEndsDescendantsAndTheProcessGroup) {
  const int child = spawn(shell("(sleep 1000 & echo $! >$PIPE; sleep 1000) & echo $! >$PIPE; wait"));
  const int one = std::stoi(pipe_.next()), two = std::stoi(pipe_.next());
  const auto one_start = start_time_of(one), two_start = start_time_of(two);
  end_tree(child, start_time_of(child), "");
  EXPECT_FALSE(is_alive(one, one_start));
  EXPECT_FALSE(is_alive(two, two_start));
  EXPECT_EQ(reap(child), 128 + SIGKILL);
}

// A tracer that waits for the end of a process holds it there: as the kernel holds one whose disk does not
// answer.
TEST_F(Process, WhatTheKernelHoldsIsGivenUpAfterALimitAndNamed) {
  const int child = spawn(shell("sleep 1000 & echo $! >$PIPE; wait"));
  const int other = std::stoi(pipe_.next());
  const auto child_start = start_time_of(child), other_start = start_time_of(other);
  if (::ptrace(PTRACE_SEIZE, child, nullptr, PTRACE_O_TRACEEXIT) != 0) {
    end_tree(child, child_start, "");
    reap(child);
    GTEST_SKIP() << "processes cannot be traced here";
  }
  const auto left = end_tree(child, child_start, "", std::chrono::milliseconds(100));
  EXPECT_FALSE(is_alive(other, other_start)) << "one that is held saves another";
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].pid, child);
  EXPECT_THAT(still_there_text(left), AllOf(HasSubstr(std::to_string(child)), HasSubstr("(bash, state"),
                                            HasSubstr("does not answer")));
  int status = 0;
  ::waitpid(child, &status, 0);  // it has come to its end
  ::ptrace(PTRACE_DETACH, child, nullptr, nullptr);
  EXPECT_TRUE(end_tree(child, child_start, "").empty());
  EXPECT_EQ(still_there_text({}), "");
  EXPECT_EQ(reap(child), 128 + SIGKILL);
}

TEST_F(Process, OrphanInASessionOfItsOwnIsFoundByItsToken) {
  const int child = spawn(shell("setsid bash -c 'echo $$ >$PIPE; exec sleep 1000' & wait -n"));
  const int orphan = std::stoi(pipe_.next());
  const auto child_start = start_time_of(child), orphan_start = start_time_of(orphan);
  ::kill(child, SIGKILL);
  reap(child);
  ASSERT_TRUE(is_alive(orphan, orphan_start));
  EXPECT_TRUE(find_tree(child, child_start, "").empty());
  EXPECT_TRUE(find_tree(child, child_start, token_ + "0").empty()) << "a token that ours is the beginning of";
  EXPECT_EQ(find_tree(child, child_start, token_).size(), 1U);
  EXPECT_EQ(find_tree(0, 0, token_.substr(0, token_.find('/') + 1)).empty(), false) << "all tokens below it";
  EXPECT_TRUE(find_tree(0, 0, token_ + "/").empty());
  end_tree(child, child_start, token_);
  EXPECT_FALSE(is_alive(orphan, orphan_start));
}

TEST(ProcessTable, SaysWhatATreeHasUsedAndWhetherItIsStopped) {
  const int child = ::fork();
  if (child == 0)
    for (volatile bool forever = true; forever;) {
    }
  const auto start = start_time_of(child);
  ProcessTable table;
  const auto look = [&] {
    table.refresh();
    return table.tree(child, start, "").at(0);
  };
  const std::uint64_t before = look().ticks;
  while (look().ticks < before + 3) ::usleep(10'000);  // or CTest's time limit
  ::kill(child, SIGSTOP);
  while (look().state != 'T') ::usleep(1'000);
  ::kill(child, SIGKILL);
  reap(child);
  table.refresh();
  EXPECT_TRUE(table.tree(child, start, "").empty());
}

TEST_F(Process, SignalReachesTheWholeTreeAndCounts) {
  const int child =
      spawn(shell("trap 'wait; exit 9' TERM; "
                  "bash -c 'trap \"echo inner >$PIPE; exit\" TERM; echo ready >$PIPE; while :; do read -t 1 "
                  "<>$PIPE.none; done' & "
                  "wait"));
  std::ofstream(pipe_.path() + ".none").flush();
  pipe_.next();
  EXPECT_GE(signal_tree(child, start_time_of(child), token_, SIGTERM), 2);
  EXPECT_EQ(pipe_.next(), "inner");
  EXPECT_EQ(reap(child), 9);
}

}  // namespace
}  // namespace kernmill
