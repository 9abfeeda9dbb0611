#include "kernmill/run/conductor/conductor_process.hpp"

#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include "kernmill/run/conductor/conductor_lock.hpp"
#include "temporary_directory.hpp"

namespace kernmill {
namespace {

TEST(ConductorProcess, IsProvedByTheLockThatItHas) {
  const testing::TemporaryDirectory folder;
  const auto file = folder.path() / "conductor.lock";
  const ProcessIdentity self = self_identity();
  {
    const ConductorLock lock(file, self);
    EXPECT_TRUE(proved_conductor(file, self));
    ProcessIdentity other = self;
    other.start_time += 1;
    EXPECT_FALSE(proved_conductor(file, other)) << "an earlier process had that number";
    other = self;
    other.host = "elsewhere";
    EXPECT_FALSE(proved_conductor(file, other));
    other = self;
    other.pid = 0;
    EXPECT_FALSE(proved_conductor(file, other));
  }
  EXPECT_FALSE(proved_conductor(file, self)) << "the file still names it, and it does not hold it";
  EXPECT_FALSE(proved_conductor(folder.path() / "absent", self));
}

}  // namespace
}  // namespace kernmill
