// Where a process hangs, for people.
#include "kernmill/exec/stall/stacks.hpp"

#include <csignal>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "temporary_directory.hpp"

namespace kernmill::exec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// A process that waits for ever, and does so already.
int sleeping_child() {
  const int child = ::fork();
  if (child == 0)
    for (;;) ::pause();
  for (std::string state; state != "S";) {
    std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
    stat >> state >> state >> state;
  }
  return child;
}

TEST(FunctionsIn, AreThoseOfTheFirstStackOfGdb) {
  EXPECT_THAT(functions_in("[Using host libthread_db library]\n"
                           "0x00007f4a in clock_nanosleep () from /lib/libc.so.6\n"
                           "#0  0x00007f4a in clock_nanosleep () from /lib/libc.so.6\n"
                           "#1  0x00007f4b in kernmill::wait<int, (char)1> (n=3) at wait.cpp:12\n"
                           "#2  main (argc=1, argv=0x7ffd) at main.cpp:3\n"
                           "\nThread 1 (process 12):\n#0  0x00007f4a in poll () from /lib/libc.so.6\n"),
              ElementsAre("clock_nanosleep", "kernmill::wait<int,", "main"));
}

TEST(FunctionsIn, AreThoseOfEuStack) {
  EXPECT_THAT(functions_in("PID 12 - process\nTID 12:\n#0  0x00007f4e0a poll\n#1  0x000055d1 main\n"
                           "#2  0x00007f4e ??\nTID 13:\n#0  0x00007f4e futex_wait\n"),
              ElementsAre("poll", "main"));
  EXPECT_THAT(functions_in("ptrace: Operation not permitted.\n"), IsEmpty());
}

TEST(TakeStacks, SaysOfEachProcessWhereItIsRanksFirst) {
  const int child = sleeping_child();
  const testing::TemporaryDirectory place;
  const auto file = place.path() / "stacks.log";
  std::vector<TreeMember> processes = find_tree(child, start_time_of(child), "");
  ASSERT_EQ(processes.size(), 1u);
  TreeMember gone;
  gone.pid = 0x7ffffff0;
  gone.program = "gone";
  processes.insert(processes.begin(), gone);
  std::ofstream out(file);
  take_stacks(out, place.path() / "scratch", processes, processes[1].program);
  out.close();
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  const std::string title = "== " + processes[1].program + " (pid " + std::to_string(child) + ")\n";
  EXPECT_THAT(text.str(), HasSubstr(title));
  EXPECT_THAT(text.str(), HasSubstr("S (sleeping)"));
  EXPECT_LT(text.str().find(title), text.str().find("== gone"));
  const auto frames = innermost_frames(file);
  ASSERT_EQ(frames.size(), 1u) << text.str();
  EXPECT_THAT(frames.front(), StartsWith(processes[1].program + " (pid "));
  ::kill(child, SIGKILL);
  reap(child);
}

// The time is over before the first process is asked.
TEST(TakeStacks, DoesWithoutADebuggerWhenThereIsNoTime) {
  const int child = sleeping_child();
  const testing::TemporaryDirectory place;
  std::ostringstream out;
  take_stacks(out, place.path() / "scratch", find_tree(child, start_time_of(child), ""), "",
              std::chrono::milliseconds(0));
  ::kill(child, SIGKILL);
  reap(child);
  EXPECT_THAT(out.str(), HasSubstr("thread "));
  EXPECT_EQ(out.str().find("\n#0"), std::string::npos);
}

}  // namespace
}  // namespace kernmill::exec
