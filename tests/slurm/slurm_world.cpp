#include "slurm_world.hpp"

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernmill/os/process.hpp"
#include "kernmill/scheduler/cluster_loader.hpp"

namespace fs = std::filesystem;

namespace kernmill::testing {
namespace {

constexpr const char* script = KERNMILL_SOURCE_DIR "/tests/slurm/cluster";

bool is_installed(const std::string& program) {
  for (const char* folder :
       {"/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/", "/usr/local/sbin/", "/usr/local/bin/"}) {
    if (::access((folder + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

/// Where the first test that cannot start a cluster tells those after it: one failure says it, not fifty.
/// They know each other by the process that runs them all.
fs::path verdict_file() {
  const pid_t runner = ::getppid();
  return fs::temp_directory_path() / ("kernmill-no-cluster-" + std::to_string(::getuid()) + "-" +
                                      std::to_string(runner) + "-" + std::to_string(start_time_of(runner)));
}

/// Starts a process of nobody's that takes the cluster down when this process, however it ends, holds the
/// returned end of a pipe no longer.
int start_guard(const fs::path& folder) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    ::setsid();
    if (::fork() != 0) ::_exit(0);
    ::setenv("KERNMILL_CLUSTER", folder.c_str(), 1);
    ::dup2(ends[0], STDIN_FILENO);
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, STDOUT_FILENO);
    ::dup2(nowhere, STDERR_FILENO);
    ::execl("/bin/sh", "sh", "-c", "cat; exec \"$0\" down", script, nullptr);
    ::_exit(127);
  }
  ::waitpid(child, nullptr, 0);
  ::close(ends[0]);
  return ends[1];
}

}  // namespace

std::string no_slurm_because() {
  for (const char* program : {"munged", "slurmctld", "slurmd", "srun", "sbatch"}) {
    if (!is_installed(program)) return std::string(program) + " is not installed (./dev test installs it)";
  }
  std::ifstream verdict(verdict_file());
  const std::string why(std::istreambuf_iterator<char>(verdict), {});
  return why.empty() ? "" : "no cluster starts here, as the first test that tried says: " + why;
}

std::string no_accounting_because() {
  for (const char* program : {"slurmdbd", "mariadbd", "mariadb-install-db"}) {
    if (!is_installed(program))
      return std::string(program) + " is not installed (./dev test --long installs it)";
  }
  return no_slurm_because();
}

SlurmWorld::SlurmWorld(const Options& options) : folder_(home_.path() / "slurm"), options_(options) {
  fs::permissions(home_.path(), fs::perms(0711));
  guard_ = start_guard(folder_);
  try {
    cluster({"up"});
  } catch (const std::runtime_error& error) {
    std::ofstream(verdict_file()) << error.what();
    throw;
  }
  ::setenv("SLURM_CONF", configuration().c_str(), 1);
}

SlurmWorld::~SlurmWorld() {
  try {
    cluster({"down"});
  } catch (const std::exception& problem) {
    ADD_FAILURE() << problem.what();
  }
  ::close(guard_);
}

void SlurmWorld::cluster(std::vector<std::string> verb) const {
  verb.insert(verb.begin(), script);
  const Finished finished =
      run_program({.argv = verb,
                   .folder = work_.path(),
                   .environment = {{"KERNMILL_CLUSTER", folder_.string()},
                                   {"KERNMILL_CLUSTER_NODES", std::to_string(options_.nodes)},
                                   {"KERNMILL_CLUSTER_ACCOUNTING", options_.accounting ? "1" : ""},
                                   {"KERNMILL_CLUSTER_EXTRA", options_.extra}}});
  if (finished.exit_code != 0)
    throw std::runtime_error("tests/slurm/cluster: " + finished.out + finished.err);
}

std::string SlurmWorld::run(const std::vector<std::string>& argv) const {
  const Finished finished = run_program({.argv = argv, .folder = work_.path(), .environment = {}});
  EXPECT_EQ(finished.exit_code, 0) << argv.front() << ": " << finished.err;
  return finished.out;
}

std::unique_ptr<Cluster> SlurmWorld::open() {
  ::setenv("KERNMILL_SLURM_PLUGIN", KERNMILL_SLURM_PLUGIN_FILE, 1);
  return open_slurm();
}

void wait_until(const std::string& what, const std::function<bool()>& is_so, std::chrono::seconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!is_so()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "in vain waited for: " << what;
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
}

bool is_long() {
  const char* value = std::getenv("KERNMILL_LONG");
  return value != nullptr && std::string(value) == "1";
}

}  // namespace kernmill::testing
