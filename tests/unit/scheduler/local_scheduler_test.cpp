#include "kernmill/scheduler/local_scheduler.hpp"

#include <csignal>
#include <stdexcept>

#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "event_pipe.hpp"
#include "kernmill/os/process.hpp"
#include "temporary_directory.hpp"

namespace kernmill {
namespace {

using std::chrono::milliseconds;

class LocalSchedulerTest : public ::testing::Test {
 protected:
  JobSpec job(const std::string& text, int cores = 1, std::uint64_t mem = 0) {
    JobSpec spec;
    spec.argv = {"bash", "-c", text};
    spec.env = {
        {"PATH", "/usr/bin:/bin"}, {"PIPE", pipe_.path()}, {"KERNMILL_TOKEN", directory_.path().string()}};
    spec.cores = cores;
    spec.mem = mem;
    return spec;
  }
  /// Waits for one job; the test would fail by its time limit if none ended.
  JobEnd next_end() {
    const auto ends = scheduler_.wait({}, -1);
    if (ends.size() != 1) throw std::runtime_error("not exactly one job ended");
    return ends.front();
  }
  ~LocalSchedulerTest() override {
    while (!scheduler_.wait(milliseconds(0), -1).empty()) {
    }
    end_tree(0, 0, directory_.path().string());
  }

  testing::TemporaryDirectory directory_;
  testing::EventPipe pipe_{directory_.path() / "pipe"};
  LocalScheduler scheduler_{{.cores = 4, .mem = 1000, .longest_end = milliseconds(500)}};
};

TEST_F(LocalSchedulerTest, TellsHowEachJobEnded) {
  scheduler_.submit("good", job("exit 0"));
  EXPECT_EQ(next_end().exit_code, 0);
  scheduler_.submit("bad", job("exit 75"));
  const auto end = next_end();
  EXPECT_EQ(end.job, "bad");
  EXPECT_EQ(end.exit_code, 75);
  scheduler_.submit("crashed", job("kill -KILL $$"));
  EXPECT_EQ(next_end().exit_code, 137);
}

TEST_F(LocalSchedulerTest, LogsAreOpenToWhomTheirDirectoryIs) {
  namespace fs = std::filesystem;
  const auto permissions_of_log_in = [&](fs::perms directory) {
    const fs::path place = directory_.path() / std::to_string(static_cast<unsigned>(directory));
    fs::create_directory(place);
    fs::permissions(place, directory);
    JobSpec spec = job("echo said");
    spec.output = place / "log";
    scheduler_.submit("speaks", spec);
    next_end();
    return fs::status(place / "log").permissions();
  };
  const fs::perms own = fs::perms::owner_read | fs::perms::owner_write;
  EXPECT_EQ(permissions_of_log_in(fs::perms::owner_all), own);
  EXPECT_EQ(permissions_of_log_in(fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec),
            own | fs::perms::group_read);
}

TEST_F(LocalSchedulerTest, HasRoomAsLongAsCoresAndMemoryLast) {
  scheduler_.submit("a", job("read <$PIPE", 3, 400));
  EXPECT_TRUE(scheduler_.has_room(job("", 1, 600)));
  EXPECT_FALSE(scheduler_.has_room(job("", 2, 0)));
  EXPECT_FALSE(scheduler_.has_room(job("", 1, 601)));
  scheduler_.cancel("a", true);
  next_end();
  EXPECT_TRUE(scheduler_.has_room(job("", 4, 1000)));
}

TEST_F(LocalSchedulerTest, JobLargerThanTheMachineRunsAlone) {
  scheduler_.submit("small", job("read <$PIPE"));
  EXPECT_FALSE(scheduler_.has_room(job("", 5)));
  scheduler_.cancel("small", true);
  next_end();
  EXPECT_TRUE(scheduler_.has_room(job("", 5)));
  scheduler_.submit("large", job("read <$PIPE", 1, 5000));
  EXPECT_FALSE(scheduler_.has_room(job("", 1)));
  scheduler_.cancel("large", true);
  next_end();
}

TEST_F(LocalSchedulerTest, CancelAsksAndForceEndsTheWholeTree) {
  scheduler_.submit("polite", job("trap 'exit 75' TERM; echo ready >$PIPE; while :; do sleep 0.01; done"));
  pipe_.next();
  scheduler_.cancel("polite", false);
  EXPECT_EQ(next_end().exit_code, 75);
  scheduler_.submit("stubborn", job("trap '' TERM; setsid sleep 1000 & echo $! >$PIPE; wait"));
  const int grandchild = std::stoi(pipe_.next());
  const auto start = start_time_of(grandchild);
  scheduler_.cancel("stubborn", true);
  EXPECT_EQ(next_end().exit_code, 137);
  EXPECT_FALSE(is_alive(grandchild, start));
  scheduler_.cancel("unknown", true);
}

TEST_F(LocalSchedulerTest, WaitEndsWithItsTimeAndWithTheCallersEvent) {
  scheduler_.submit("a", job("read <$PIPE"));
  EXPECT_TRUE(scheduler_.wait(milliseconds(1), -1).empty());
  int wake[2];
  ASSERT_EQ(::pipe(wake), 0);
  ASSERT_EQ(::write(wake[1], "x", 1), 1);
  EXPECT_TRUE(scheduler_.wait({}, wake[0]).empty());
  ::close(wake[0]);
  ::close(wake[1]);
  scheduler_.cancel("a", true);
  next_end();
}

TEST_F(LocalSchedulerTest, WaitForNothingReturnsAtOnce) {
  EXPECT_TRUE(scheduler_.wait({}, -1).empty());
}

TEST_F(LocalSchedulerTest, ProgramThatCannotBeStartedIsAnErrorAndTakesNoRoom) {
  JobSpec spec = job("", 4);
  spec.argv = {"/no/such/program"};
  EXPECT_THROW(scheduler_.submit("a", spec), std::runtime_error);
  EXPECT_TRUE(scheduler_.has_room(job("", 4)));
}

// A tracer that waits for the end of a process holds it there, as the kernel holds one whose disk does not
// answer.
TEST_F(LocalSchedulerTest, AJobThatTheKernelHoldsIsGivenUp) {
  scheduler_.submit("held", job("echo $$ >$PIPE; exec sleep 1000"));
  const int pid = std::stoi(pipe_.next());
  const bool is_held = ::ptrace(PTRACE_SEIZE, pid, nullptr, PTRACE_O_TRACEEXIT) == 0;
  scheduler_.cancel("held", true);
  EXPECT_EQ(next_end().exit_code, 137);
  EXPECT_TRUE(scheduler_.has_room(job("", 4)));
  if (!is_held) GTEST_SKIP() << "processes cannot be traced here";
  EXPECT_TRUE(is_alive(pid, start_time_of(pid)));
  ::waitpid(pid, nullptr, 0);  // it has come to its end
  ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
  ::waitpid(pid, nullptr, 0);
}

TEST_F(LocalSchedulerTest, ManyJobsEndOnceEach) {
  std::size_t ended = 0;
  for (int i = 0; i < 50; ++i) scheduler_.submit("job" + std::to_string(i), job("exit 1"));
  while (ended < 50) ended += scheduler_.wait({}, -1).size();
  EXPECT_TRUE(scheduler_.wait({}, -1).empty());
}

TEST(LocalSchedulerDefaults, AreThoseOfTheMachine) {
  const LocalScheduler scheduler({});
  EXPECT_GE(scheduler.cores(), 1);
  EXPECT_GT(scheduler.mem(), 0U);
}

}  // namespace
}  // namespace kernmill
