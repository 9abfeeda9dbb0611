// Where the cluster of the tests has to start although something is missing, and what is said where it
// cannot.
#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "slurm_world.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr const char* script = KERNMILL_SOURCE_DIR "/tests/slurm/cluster";

/// Runs a command of a shell where /sys/fs/cgroup is an empty folder, as in many a container.
Finished without_control_groups(const std::string& command, const fs::path& cluster) {
  return run_program({.argv = {"unshare", "--mount", "/bin/bash", "-ec",
                               "mount -t tmpfs none /sys/fs/cgroup\n" + command, script},
                      .folder = cluster.parent_path(),
                      .environment = {{"KERNMILL_CLUSTER", cluster.string()},
                                      {"KERNMILL_CLUSTER_NODES", "2"},
                                      {"KERNMILL_CLUSTER_EXTRA", ""}}});
}

TEST(ClusterOfTheTests, StartsAndRunsJobsWhereThereAreNoControlGroups) {
  KERNMILL_NEEDS_SLURM();
  const TemporaryDirectory home;
  const fs::path cluster = home.path() / "slurm";
  if (const Finished tried = without_control_groups("true", cluster); tried.exit_code != 0)
    GTEST_SKIP() << "a mount of one's own is not permitted here: " << tried.err;
  const Finished ran = without_control_groups(
      "trap '\"$0\" down' EXIT\n"
      "test -z \"$(ls -A /sys/fs/cgroup)\"\n"
      "\"$0\" up\n"
      "SLURM_CONF=$KERNMILL_CLUSTER/slurm.conf srun -N2 -n2 echo rank",
      cluster);
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("rank\nrank\n"));
}

// In a process of its own: those after it that are started by the same runner must not hear of it.
TEST(ClusterOfTheTests, WhereItCannotStartTheFirstTestSaysWhyAndTheOthersAreSkipped) {
  KERNMILL_NEEDS_SLURM();
  const TemporaryDirectory broken;
  std::ofstream(broken.path() / "slurmd") << "#!/bin/sh\necho 'fatal: this slurmd is broken' >&2\nexit 1\n";
  fs::permissions(broken.path() / "slurmd", fs::perms::owner_all);
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("TMPDIR", broken.path().c_str(), 1);
    ::setenv("PATH", (broken.path().string() + ":" + std::getenv("PATH")).c_str(), 1);
    std::string first;
    try {
      const SlurmWorld world({.nodes = 1});
    } catch (const std::runtime_error& error) {
      first = error.what();
    }
    const std::string others = no_slurm_because();
    const bool is_said = first.find("this slurmd is broken") != std::string::npos &&
                         others.find("no cluster starts here") != std::string::npos &&
                         others.find("this slurmd is broken") != std::string::npos;
    if (!is_said) std::fprintf(stderr, "first: %s\nothers: %s\n", first.c_str(), others.c_str());
    ::_exit(is_said ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace kernmill::testing
