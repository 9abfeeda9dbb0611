#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace kernmill {

/// What a scheduler starts: one program with its environment, and what it needs of the machine.
struct JobSpec {
  std::string name;
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> env;  ///< the whole environment: nothing is inherited
  std::string work_dir;
  std::string output;      ///< file that takes stdout and stderr, appended to
  std::string input = {};  ///< what it reads from its standard input
  int cores = 1;
  std::uint64_t mem = 0;  ///< bytes; 0: not asked for
};

using JobId = std::string;

/// How a job ended.
struct JobEnd {
  JobId job;
  int exit_code = 0;  ///< 128 + signal when a signal ended it
};

/// Starts jobs and says when they end. The consumer owns this interface: the local scheduler implements it
/// here, and plug-ins do elsewhere. Not thread-safe.
class Scheduler {
 public:
  static constexpr int interface_version = 1;
  virtual ~Scheduler() = default;

  /// Whether a job of this size can start now. A job larger than the whole machine can once nothing else
  /// runs.
  [[nodiscard]] virtual bool has_room(const JobSpec& spec) const = 0;
  /// Starts the job. `id` is the caller's name for it, unique in the run. Throws std::runtime_error (what,
  /// why, way out) when it cannot be started.
  virtual void submit(const JobId& id, const JobSpec& spec) = 0;
  /// Asks a job to stop (SIGTERM); with `force`, ends its whole process tree (SIGKILL). Unknown ids are
  /// ignored.
  virtual void cancel(const JobId& id, bool force) = 0;
  /// Waits until a job ends, `timeout` passes, or `wake_fd` (-1: none) becomes readable. Never polls.
  virtual std::vector<JobEnd> wait(std::optional<std::chrono::milliseconds> timeout, int wake_fd) = 0;
};

}  // namespace kernmill
