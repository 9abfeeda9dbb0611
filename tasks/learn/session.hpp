#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "kernmill/storage/checkpoint.hpp"
#include "kernmill/tasks/comm/communicator.hpp"

namespace kernmill::tasks {

/// Where a training run keeps its checkpoints. Without a directory it keeps none.
struct CheckpointPolicy {
  std::filesystem::path directory;
  std::uint64_t every = 10;  ///< in the method's own steps
  int keep = 2;
  std::string identity;  ///< of what is trained: a checkpoint of anything else is not continued
};

/// What goes on around a method's steps: checkpoints, the request to stop, progress on stdout. All ranks call
/// it with the same numbers.
class Session {
 public:
  Session(const Communicator& comm, CheckpointPolicy policy, bool talks)
      : comm_(comm), policy_(std::move(policy)), talks_(talks && comm.is_root()) {}

  [[nodiscard]] const Communicator& comm() const { return comm_; }
  /// The newest whole checkpoint of this very training, if there is one. Collective. Says on stdout what it
  /// found.
  std::optional<storage::Checkpoint> resume();
  /// Collective, after each step but the last. Saves when it is time to, or when `stop`; then throws Stopped.
  void after_step(std::uint64_t step, bool stop, const std::function<storage::Checkpoint()>& state);
  /// A line of progress: on rank 0, not more than one a second, apart from the first and the last.
  void progress(bool last, const std::function<std::string()>& line);
  /// Throws TaskError when the loss is no number any more.
  void check_finite(double loss, std::uint64_t step, const char* step_name) const;

 private:
  const Communicator& comm_;
  CheckpointPolicy policy_;
  bool talks_;
  std::optional<std::chrono::steady_clock::time_point> last_line_;
};

}  // namespace kernmill::tasks
