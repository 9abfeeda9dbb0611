// A step of which the kernel holds a process, as it does while a disk does not answer: here a tracer holds it
// at its end.
#include <csignal>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "event_pipe.hpp"
#include "kernmill/exec/attempt/attempt_outcome.hpp"
#include "kernmill/exec/attempt/step.hpp"
#include "kernmill/exec/pack/packed_process.hpp"
#include "kernmill/os/process.hpp"
#include "temporary_directory.hpp"

namespace kernmill::exec {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

class HeldStep : public ::testing::Test {
 protected:
  StepOptions options(const std::string& command) {
    StepOptions step;
    step.spawn.argv = {"bash", "-c", command};
    step.token = (place_.path() / "token/1").string();
    step.spawn.env = {{"PATH", "/usr/bin:/bin"}, {"PIPE", pipe_.path()}, {"KERNMILL_TOKEN", step.token}};
    step.longest_end = std::chrono::milliseconds(100);
    return step;
  }
  /// Runs the step; the process that it names in $PIPE is held at its end from before `go` is written.
  StepEnd run(const StepOptions& step) {
    StopRequests stop;
    return run_step(step, stop, [&](int, std::uint64_t) {
      hold(std::stoi(pipe_.next()));
      std::ofstream(go()) << "go\n";
    });
  }
  void hold(int pid) {
    held_ = pid;
    is_held_ = ::ptrace(PTRACE_SEIZE, pid, nullptr, PTRACE_O_TRACEEXIT) == 0;
  }
  void SetUp() override { ASSERT_EQ(::mkfifo(go().c_str(), 0600), 0); }
  void TearDown() override {
    if (held_ == 0) return;
    ::kill(held_, SIGKILL);
    if (is_held_) {
      ::waitpid(held_, nullptr, __WALL);
      ::ptrace(PTRACE_DETACH, held_, nullptr, nullptr);
    }
    ::waitpid(held_, nullptr, 0);
  }
  [[nodiscard]] std::string wait_for_go() const { return "read x <'" + go() + "'"; }
  [[nodiscard]] AttemptOutcome outcome(const StepEnd& end) const {
    const RunDirectory run(place_.path());
    const Plan plan{Workflow{}};
    return read_outcome({run, plan, {}, 1, false, CommitTable(plan)}, end);
  }
  bool is_held_ = false;

 private:
  [[nodiscard]] std::string go() const { return (place_.path() / "go").string(); }
  testing::TemporaryDirectory place_;
  testing::EventPipe pipe_{place_.path() / "pipe"};
  int held_ = 0;
};

TEST_F(HeldStep, ThatLeavesSuchAProcessBehindCommitsNothing) {
  const StepEnd end = run(options("sleep 1000 & echo $! >$PIPE; " + wait_for_go() + "; exit 0"));
  if (!is_held_) GTEST_SKIP() << "processes cannot be traced here";
  EXPECT_EQ(end.exit_code, 0);
  // It may be held before it has become sleep.
  EXPECT_THAT(end.still_there, AnyOf(HasSubstr("(sleep, state"), HasSubstr("(bash, state")));
  EXPECT_EQ(outcome(end).what, AttemptOutcome::What::failed);
  EXPECT_THAT(outcome(end).message, HasSubstr("did not end"));
}

TEST_F(HeldStep, WhoseFirstProcessIsHeldIsGivenUpAtItsLimit) {
  StepOptions step =
      options("trap '' TERM; echo $$ >$PIPE; " + wait_for_go() + "; while :; do read -t 1 x <>$PIPE; done");
  step.limit = std::chrono::milliseconds(300);
  const StepEnd end = run(step);
  if (!is_held_) GTEST_SKIP() << "processes cannot be traced here";
  EXPECT_TRUE(end.killed);
  EXPECT_EQ(end.signal, SIGKILL);
  EXPECT_THAT(end.still_there, HasSubstr("(bash, state"));
  EXPECT_EQ(outcome(end).cause, Cause::timeout);
}

TEST_F(HeldStep, OfAPackIsGivenUpAndItsSlotIsFree) {
  const StepOptions step = options("echo $$ >$PIPE; exec sleep 1000");
  PackedProgram program;
  program.spawn = step.spawn;
  program.longest_end = step.longest_end;
  PackedProcess process;
  process.start(program, {});
  hold(process.pid());
  process.end_for_memory();
  if (!is_held_) GTEST_SKIP() << "processes cannot be traced here";
  ASSERT_TRUE(process.is_stuck());
  const StepEnd end = process.finish();
  EXPECT_FALSE(process.running());
  EXPECT_EQ(end.signal, SIGKILL);
  EXPECT_EQ(outcome(end).what, AttemptOutcome::What::failed);
  EXPECT_THAT(outcome(end).message, HasSubstr("did not end"));
}

}  // namespace
}  // namespace kernmill::exec
