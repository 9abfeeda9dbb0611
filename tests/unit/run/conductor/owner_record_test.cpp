// Two kernels that share a run directory on which flock is each one's own, or is not there: here, two locks
// of one process, each with a boot id and a flock that says what the test wants.
#include "kernmill/run/conductor/owner_record.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <memory>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conductor_world.hpp"
#include "kernmill/os/process.hpp"
#include "kernmill/run/conductor/conductor_lock.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

class OwnerRecordTest : public ::testing::Test {
 protected:
  /// A kernel on which flock reaches no other, with short times.
  static LockMeans on_kernel(const std::string& boot) {
    return {boot, {milliseconds(20), milliseconds(2'000)}, [](int, int) { return 0; }};
  }
  static LockMeans without_flock(const std::string& boot) {
    LockMeans means = on_kernel(boot);
    means.flock = [](int, int) {
      errno = ENOSYS;
      return -1;
    };
    return means;
  }
  static ProcessIdentity process_on(const std::string& host) {
    return {::getpid(), start_time_of(::getpid()), host};
  }
  std::unique_ptr<ConductorLock> lock(const std::string& host, const LockMeans& means) const {
    return std::make_unique<ConductorLock>(file(), process_on(host), ConductorLock::Purpose::conduct, means);
  }
  [[nodiscard]] fs::path file() const { return folder_.path() / "conductor.lock"; }
  [[nodiscard]] fs::path owner(int number) const {
    return folder_.path() / ("conductor.owner-" + std::to_string(number));
  }
  /// What a process on another kernel leaves behind that is killed while it has the run.
  void leave_dead_owner(const std::string& boot) const {
    std::ofstream(owner(1)) << Json{{"pid", 7}, {"start_time", 8}, {"host", "n7"}, {"boot", boot}}.dump()
                            << "\n00000000000000000005\n";
    std::ofstream(file()) << Json{{"pid", 7}, {"start_time", 8}, {"host", "n7"}, {"boot", boot}}.dump()
                          << '\n';
  }

 private:
  TemporaryDirectory folder_;
};

TEST_F(OwnerRecordTest, KeepsOutAConductorOnAnotherHostWhereFlockDoesNot) {
  const auto first = lock("n1", on_kernel("one"));
  try {
    lock("n2", on_kernel("two"));
    FAIL() << "two conductors";
  } catch (const RunIsLocked& error) {
    EXPECT_THAT(error.what(), HasSubstr("on n1 already"));
  }
  EXPECT_EQ(lock_holder(file(), on_kernel("two"))->host, "n1");
}

TEST_F(OwnerRecordTest, IsFreeForOthersAtOnceWhenItIsGivenBack) {
  lock("n1", on_kernel("one")).reset();
  const auto begun = std::chrono::steady_clock::now();
  const auto second = lock("n2", on_kernel("two"));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(2'000)) << "it was watched";
  EXPECT_EQ(lock_holder(file(), on_kernel("two"))->host, "n2");
}

TEST_F(OwnerRecordTest, OfAHostThatShowsNoSignOfLifeIsTakenOver) {
  leave_dead_owner("one");
  LockMeans means = on_kernel("two");
  means.times.patience = milliseconds(100);
  EXPECT_FALSE(lock_holder(file(), means));
  const auto second = lock("n2", means);
  EXPECT_EQ(lock_holder(file(), means)->host, "n2");
  EXPECT_EQ(newest_owner(file().parent_path())->number, 2U);
}

TEST_F(OwnerRecordTest, OfAProcessThatHasEndedOnThisKernelIsTakenOverAtOnce) {
  leave_dead_owner("one");
  const auto second = lock("n2", without_flock("one"));
  EXPECT_EQ(newest_owner(file().parent_path())->number, 2U);
}

TEST_F(OwnerRecordTest, KeepsOutASecondConductorOfThisHostWhereThereIsNoFlock) {
  const auto first = lock("n1", without_flock("one"));
  EXPECT_THROW(lock("n1", without_flock("one")), RunIsLocked);
}

TEST_F(OwnerRecordTest, ThatWasTakenOverStopsTheOneThatSeemedToBeGone) {
  sigset_t term, before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &term, &before);
  std::optional<OwnerRecord> first;
  first.emplace(file().parent_path(), OwnerRecord::Self{process_on("n1"), "one", {milliseconds(10), {}}},
                true);
  std::ofstream(owner(2)) << "{}\n00000000000000000001\n";  // another, while this one was held up
  const timespec patience{60, 0};
  EXPECT_EQ(::sigtimedwait(&term, nullptr, &patience), SIGTERM);
  EXPECT_TRUE(first->is_lost());
  first.reset();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_FALSE(newest_owner(file().parent_path())->is_released()) << "the record of the other was touched";
}

TEST_F(OwnerRecordTest, IsMadeByOneOfManyThatWantItAtOnce) {
  constexpr int many = 8;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  std::vector<pid_t> children;
  for (int i = 0; i < many; ++i) {
    children.push_back(::fork());
    if (children.back() == 0) {
      try {
        const auto mine = lock("n" + std::to_string(i), on_kernel(std::to_string(i)));
        [[maybe_unused]] const auto written = ::write(ends[1], "1", 1);
        ::pause();
      } catch (const RunIsLocked&) {
        [[maybe_unused]] const auto written = ::write(ends[1], "0", 1);
      }
      ::_exit(0);
    }
  }
  std::string said(many, '?');
  for (char& one : said) ASSERT_EQ(::read(ends[0], &one, 1), 1);
  EXPECT_EQ(std::count(said.begin(), said.end(), '1'), 1) << said;
  for (const pid_t child : children) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(OwnerRecordTest, IsBelievedWhateverLiesThere) {
  for (const std::string& text :
       {std::string(), std::string("nonsense"), std::string("[1]\n2\n"),
        std::string(R"({"pid":"x","boot":7,"host":[]})"), std::string(4096, '\0')}) {
    std::ofstream(owner(1)) << text;
    EXPECT_EQ(newest_owner(file().parent_path())->process.pid, 0);
  }
  std::ofstream(file().parent_path() / "conductor.owner-x") << "";
  std::ofstream(file().parent_path() / "conductor.owner-99999999999999999999") << "";
  EXPECT_EQ(newest_owner(file().parent_path())->number, 1U);
}

}  // namespace
}  // namespace kernmill::testing
