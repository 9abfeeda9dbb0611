#include "kernmill/tasks/learn/rows/memory.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "temporary_directory.hpp"

namespace kernmill::tasks {
namespace {

namespace fs = std::filesystem;

/// A machine with 8 GiB available, as its files tell.
class AvailableMemory : public ::testing::Test {
 protected:
  AvailableMemory() {
    put("proc/meminfo", "MemTotal: 16777216 kB\nMemFree: 1024 kB\nMemAvailable: 8388608 kB\n");
  }
  void put(const fs::path& file, const std::string& text) {
    fs::create_directories((root / file).parent_path());
    std::ofstream(root / file) << text;
  }
  const testing::TemporaryDirectory own;
  const fs::path root = own.path();
  static constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30U;
};

TEST_F(AvailableMemory, IsWhatTheKernelSaysWithoutGroups) {
  EXPECT_EQ(available_memory(root), 8 * gibibyte);
}

TEST_F(AvailableMemory, IsNoMoreThanAnyGroupAboveMayUse) {
  put("proc/self/cgroup", "0::/slurm/job_7/step_0\n");
  put("sys/fs/cgroup/slurm/job_7/step_0/memory.max", "max\n");
  EXPECT_EQ(available_memory(root), 8 * gibibyte);
  put("sys/fs/cgroup/slurm/job_7/memory.max", "2147483648\n");
  put("sys/fs/cgroup/slurm/memory.max", "4294967296\n");
  EXPECT_EQ(available_memory(root), 2 * gibibyte);
}

TEST_F(AvailableMemory, KnowsGroupsOfVersionOne) {
  put("proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/slurm/uid_0\n0::/\n");
  put("sys/fs/cgroup/memory/slurm/uid_0/memory.limit_in_bytes", "1073741824\n");
  put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(available_memory(root), gibibyte);
}

}  // namespace
}  // namespace kernmill::tasks
