#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/exec/stall/helper.hpp"
#include "kernmill/exec/stall/signs_of_life.hpp"
#include "kernmill/os/process.hpp"

namespace kernmill::exec {

/// How to learn of an attempt's processes on all nodes of its job.
struct OtherNodes {
  int nodes = 0;        ///< of the job, this one among them; 0: there are no others
  SpawnOptions signs;   ///< prints a line for each node (to_line); where to is set by who starts it
  SpawnOptions stacks;  ///< leaves them in the files `<stacks>.0`, `<stacks>.1`, ..., one for each node
};

struct StallOptions {
  std::chrono::milliseconds after{0};         ///< 0: nobody looks
  std::string token;                          ///< as StepOptions has it
  std::string rank_program;                   ///< likewise
  std::vector<std::filesystem::path> traces;  ///< files and folders in which something changes as it works
  std::filesystem::path stacks;               ///< the file that says where it hung
  OtherNodes others = {};
};

/// Watches one attempt's processes for a stall: no sign of life for as long as the stage's `stall` says, here
/// and on the other nodes of its job. What cannot be looked at counts as alive. Never waits: what takes long
/// is done by processes of its own, which end in time.
class StallWatch {
 public:
  using Clock = IdleTime::Clock;
  StallWatch(StallOptions options, int pid, std::uint64_t start_time, Clock::time_point now);

  /// When to look again.
  [[nodiscard]] Clock::time_point due() const { return due_; }
  /// True once: it has stalled, and what it does is written down. The table is to be fresh.
  bool look(Clock::time_point now, ProcessTable& table);
  /// A process that is not the attempt's, but this object's; 0: none.
  [[nodiscard]] int helper() const { return helper_ ? helper_->pid() : 0; }
  /// For how long there has been nothing.
  [[nodiscard]] std::chrono::milliseconds idle() const { return idle_.idle(); }

 private:
  enum class Phase { watching, asking_others, taking_stacks, over };
  void watch(Clock::time_point now, ProcessTable& table);
  void look_here(Clock::time_point now, const std::vector<TreeMember>& processes);
  void ask_others(Clock::time_point now);
  void hear_others(Clock::time_point now, ProcessTable& table);
  void take_stacks_of(const std::vector<TreeMember>& processes, Clock::time_point now);
  void seems_alive();
  [[nodiscard]] std::vector<TreeMember> processes(ProcessTable& table) const;

  StallOptions options_;
  int pid_;
  std::uint64_t start_time_;
  IdleTime idle_;
  Clock::time_point due_;
  Phase phase_ = Phase::watching;
  std::optional<SignsOfLife> others_before_;  ///< on the other nodes, in the first half of the idle time
  std::optional<Helper> helper_;
};

/// The signs of life of an attempt's processes on this node as one line of text, and a sum of such lines:
/// nothing when they are not so many.
std::string to_line(const SignsOfLife& signs);
std::optional<SignsOfLife> sum_of_lines(const std::string& lines, int count);

}  // namespace kernmill::exec
