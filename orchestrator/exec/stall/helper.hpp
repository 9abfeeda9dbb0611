#pragma once
#include <chrono>
#include <functional>

#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/os/process.hpp"

namespace kernmill::exec {

/// A process of our own that does something slow beside this one. It is ended when its time is over, and
/// with this object.
class Helper {
 public:
  using Clock = std::chrono::steady_clock;
  /// Starts a program.
  Helper(const SpawnOptions& program, Clock::time_point end);
  /// Does some work in a copy of this process.
  Helper(const std::function<void()>& work, Clock::time_point end);
  Helper(Helper&& other) noexcept;
  Helper& operator=(Helper&&) = delete;
  ~Helper();

  enum class State { running, done, failed };
  /// `failed`: it has ended with another status than 0, or its time is over.
  State look(Clock::time_point now);
  [[nodiscard]] int pid() const { return pid_; }

 private:
  int pid_;
  Clock::time_point end_;
};

/// Runs a program to its end; false when it has not ended well in so much time, after which it is ended.
bool ends_well_within(const SpawnOptions& program, std::chrono::milliseconds time);

}  // namespace kernmill::exec
