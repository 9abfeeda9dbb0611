#include "kernmill/run/conductor/conductor_lock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conductor_world.hpp"
#include "kernmill/os/process.hpp"

namespace kernmill::testing {
namespace {

using ::testing::HasSubstr;

TEST(ConductorLock, TellsASecondConductorWhoHoldsIt) {
  const TemporaryDirectory folder;
  const ConductorLock lock(folder.path() / "conductor.lock", self_identity());
  try {
    const ConductorLock second(folder.path() / "conductor.lock", self_identity());
    FAIL() << "two conductors";
  } catch (const RunIsLocked& error) {
    EXPECT_THAT(error.what(), HasSubstr(std::to_string(getpid())));
    EXPECT_THAT(error.what(), HasSubstr(host_name()));
  }
}

TEST(ConductorLock, IsFreeAgainOnceItsHolderIsGone) {
  const TemporaryDirectory folder;
  const auto file = folder.path() / "conductor.lock";
  const pid_t child = fork();
  if (child == 0) {
    new ConductorLock(file, self_identity());  // never released: the process just ends
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(lock_holder(file));
  EXPECT_NO_THROW(ConductorLock(file, self_identity()));
}

TEST(ConductorLock, NamesItsHolder) {
  const TemporaryDirectory folder;
  const auto file = folder.path() / "conductor.lock";
  EXPECT_FALSE(lock_holder(file));
  {
    const ConductorLock lock(file, self_identity());
    ASSERT_TRUE(lock_holder(file));
    EXPECT_EQ(lock_holder(file)->pid, getpid());
  }
  EXPECT_FALSE(lock_holder(file));
}

}  // namespace
}  // namespace kernmill::testing
