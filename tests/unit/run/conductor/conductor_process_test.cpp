#include "kernmill/run/conductor/conductor_process.hpp"

#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernmill/run/conductor/conductor_lock.hpp"
#include "temporary_directory.hpp"

namespace kernmill {
namespace {

class ConductorProcesses : public ::testing::TestWithParam<ConductorProcess::Means> {
 protected:
  [[nodiscard]] bool is_proved(const ProcessIdentity& named) const {
    return ConductorProcess::proved(file, named, GetParam()).has_value();
  }
  testing::TemporaryDirectory folder;
  std::filesystem::path file = folder.path() / "conductor.lock";
};

TEST_P(ConductorProcesses, AreProvedByTheLockThatTheyHave) {
  const ProcessIdentity self = self_identity();
  {
    const ConductorLock lock(file, self);
    EXPECT_TRUE(is_proved(self));
    ProcessIdentity other = self;
    other.start_time += 1;
    EXPECT_FALSE(is_proved(other)) << "an earlier process had that number";
    other = self;
    other.host = "elsewhere";
    EXPECT_FALSE(is_proved(other));
    other = self;
    other.pid = 0;
    EXPECT_FALSE(is_proved(other));
  }
  EXPECT_FALSE(is_proved(self)) << "the file still names it, and it does not hold it";
  file = folder.path() / "absent";
  EXPECT_FALSE(is_proved(self));
}

TEST_P(ConductorProcesses, AreWaitedForOnceTheyAreTold) {
  const int ready = ::eventfd(0, 0);
  const int child = ::fork();
  if (child == 0) {
    const ConductorLock lock(file, self_identity());
    ::eventfd_write(ready, 1);
    for (;;) ::pause();
  }
  eventfd_t is_ready = 0;
  ::eventfd_read(ready, &is_ready);
  const auto conductor = ConductorProcess::proved(file, *lock_holder(file), GetParam());
  ASSERT_TRUE(conductor.has_value());
  conductor->signal(SIGTERM);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  conductor->wait();
  ::close(ready);
}

INSTANTIATE_TEST_SUITE_P(ByDescriptorAndByNumber, ConductorProcesses,
                         ::testing::Values(ConductorProcess::Means::descriptor,
                                           ConductorProcess::Means::number));

}  // namespace
}  // namespace kernmill
