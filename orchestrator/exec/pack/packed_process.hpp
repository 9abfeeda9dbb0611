#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "kernmill/exec/attempt/step.hpp"
#include "kernmill/exec/pack/packed_program.hpp"

namespace kernmill::exec {

/// The processes of a packed instance. They end with this object.
class PackedProcess {
 public:
  using Clock = std::chrono::steady_clock;
  PackedProcess() = default;
  PackedProcess(const PackedProcess&) = delete;
  PackedProcess& operator=(const PackedProcess&) = delete;
  ~PackedProcess();

  /// Throws std::runtime_error that says why it cannot be started.
  void start(const PackedProgram& program, StallOptions stall);
  [[nodiscard]] bool running() const { return pid_ > 0; }
  [[nodiscard]] int pid() const { return pid_; }
  /// Readable once the first process has ended; -1 when none runs.
  [[nodiscard]] int fd() const { return process_.get(); }
  /// When `check_time` has something to do.
  [[nodiscard]] std::optional<Clock::time_point> deadline() const { return deadline_; }
  /// Asks it to stop as its limit comes near, and ends it at the limit.
  void check_time(Clock::time_point now);
  /// Asked again, it only gets less time. Without an order, a command that does not listen works on until
  /// then.
  void ask_to_stop(std::chrono::milliseconds grace, bool is_order);
  void end_for_memory();
  /// Looks for a stall, and asks a stalled one to stop within `grace`.
  void check_stall(Clock::time_point now, ProcessTable& table, std::chrono::milliseconds grace);
  /// When `check_stall` has something to do.
  [[nodiscard]] std::optional<Clock::time_point> next_look() const;
  /// Whether its first process cannot be ended: `finish` is due, although it has not.
  [[nodiscard]] bool is_stuck() const { return is_stuck_; }
  /// Ends what the first process, which has ended, leaves behind in its process group.
  StepEnd finish();

 private:
  void pass_on();
  void end_all();

  int pid_ = 0;
  FileDescriptor process_;
  std::string rank_program_;
  int signal_ = 0;
  std::chrono::milliseconds grace_{0};
  std::optional<Clock::time_point> deadline_;
  std::optional<StallWatch> stall_;
  bool last_call_ = false;    ///< it has been asked to stop
  bool is_by_limit_ = false;  ///< since its time limit comes near
  bool is_order_ = true;      ///< it has to stop
  bool is_stuck_ = false;
  std::chrono::milliseconds longest_end_ = longest_end;
  StepEnd end_;
};

}  // namespace kernmill::exec
