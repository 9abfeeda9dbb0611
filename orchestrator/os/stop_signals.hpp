#pragma once
#include <csignal>
#include <optional>

namespace kernmill {

/// SIGINT, SIGTERM and SIGHUP as something to wait for instead of something that interrupts: blocked while
/// the object lives, and read from `fd`. SIGINT and SIGHUP stay ignored where they were when the program
/// started (nohup, a script's `&`); SIGTERM is how somebody asks this very process to stop, and is always
/// heard.
class StopSignals {
 public:
  /// Throws std::system_error.
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  /// Readable when a signal has come.
  [[nodiscard]] int fd() const { return fd_; }
  /// The next signal that has come; never waits.
  [[nodiscard]] std::optional<int> next() const;

 private:
  sigset_t previous_{};
  int fd_ = -1;
};

}  // namespace kernmill
