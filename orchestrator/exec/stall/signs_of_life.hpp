#pragma once
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "kernmill/os/process.hpp"

namespace kernmill::exec {

/// What shows of an attempt at one moment. Whatever differs from an earlier moment is a sign of life.
struct SignsOfLife {
  std::chrono::milliseconds cpu{0};  ///< that its processes have used
  std::string processes;             ///< which they are
  std::string files;                 ///< what its logs, its folder and its checkpoints look like
  /// There are processes beside those of srun, whose ranks are no children of it: in a container of Slurm
  /// they may not be found at all.
  bool is_seen = true;
  bool is_held = false;  ///< somebody has stopped a process of it, or looks at it with a debugger
};

/// Of processes; `files` is left empty.
SignsOfLife signs_of(const std::vector<TreeMember>& processes);

/// Names, sizes and times of files, and of what is in folders at any depth (a few thousand entries at most).
std::string look_of(const std::vector<std::filesystem::path>& files_and_folders);

/// For how long an attempt has shown no sign of life, from looks at it. Pure. So little processor time as
/// the timers of programs that sleep use (a ten-thousandth of a core) is none. Time in which nobody looked,
/// since the whole job or machine was suspended, does not count.
class IdleTime {
 public:
  using Clock = std::chrono::steady_clock;
  IdleTime(std::chrono::milliseconds limit, Clock::time_point now) : limit_(limit), last_look_(now) {}

  /// How often to look.
  [[nodiscard]] std::chrono::milliseconds interval() const;
  void look(Clock::time_point now, SignsOfLife signs);
  [[nodiscard]] std::chrono::milliseconds idle() const { return idle_; }
  [[nodiscard]] bool is_over() const { return idle_ >= limit_; }
  [[nodiscard]] bool is_half_over() const { return 2 * idle_ >= limit_; }
  /// A sign of life was seen elsewhere.
  void restart() { idle_ = std::chrono::milliseconds{0}; }
  /// Processor time up to this is none.
  [[nodiscard]] std::chrono::milliseconds tolerance() const;

 private:
  [[nodiscard]] bool is_alive(const SignsOfLife& signs) const;
  std::chrono::milliseconds limit_;
  Clock::time_point last_look_;
  std::chrono::milliseconds idle_{0};
  SignsOfLife before_;
};

}  // namespace kernmill::exec
