#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernmill/scheduler/cluster.hpp"
#include "program.hpp"
#include "temporary_directory.hpp"

namespace kernmill::testing {

/// Why no Slurm cluster can be started here; empty when one can. The same for one with an accounting
/// database.
std::string no_slurm_because();
std::string no_accounting_because();

/// A Slurm cluster of a test's own (tests/slurm/cluster says what it consists of), and a folder to work in.
/// SLURM_CONF names it for this process and those that it starts. It is gone with the object, and also when
/// the process is killed. libslurm reads its configuration once: in a process, the plug-in knows the first
/// cluster only.
class SlurmWorld {
 public:
  struct Options {
    unsigned nodes = 4;
    std::string extra = {};   ///< lines for slurm.conf; those that set what ours set take their place
    bool accounting = false;  ///< with slurmdbd
  };
  explicit SlurmWorld(const Options& options);
  SlurmWorld() : SlurmWorld(Options{}) {}
  ~SlurmWorld();
  SlurmWorld(const SlurmWorld&) = delete;
  SlurmWorld& operator=(const SlurmWorld&) = delete;

  /// A verb of tests/slurm/cluster: {"restart-controller"}, {"kill-node", "n3"}.
  void cluster(std::vector<std::string> verb) const;
  /// Runs a program in `path()` and expects it to end well; what it printed.
  std::string run(const std::vector<std::string>& argv) const;
  /// A folder to work in; jobs that name no other write their output there.
  [[nodiscard]] const std::filesystem::path& path() const { return work_.path(); }
  [[nodiscard]] std::filesystem::path configuration() const { return folder_ / "slurm.conf"; }
  /// The cluster through the plug-in of this build.
  static std::unique_ptr<Cluster> open();

 private:
  TemporaryDirectory work_, home_;
  std::filesystem::path folder_;
  int guard_ = -1;  ///< the guard takes the cluster down when the last of this pipe is closed
  Options options_;
};

/// Asks until the answer is yes; fails the test when it is not after `timeout`.
void wait_until(const std::string& what, const std::function<bool()>& is_so,
                std::chrono::seconds timeout = std::chrono::seconds{60});

/// Whether tests that take minutes are wanted: ./dev test --long.
bool is_long();

}  // namespace kernmill::testing

/// Skips a test where the programs of Slurm are not installed.
#define KERNMILL_NEEDS_SLURM()                                                           \
  if (const std::string reason = kernmill::testing::no_slurm_because(); !reason.empty()) \
  GTEST_SKIP() << reason
