#pragma once
#include <array>
#include <csignal>
#include <filesystem>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {

/// While it lives, a crash of this process leaves `error` as its error.json before the signal ends it: for
/// calls into a library that somebody else's bytes can crash. One at a time, on one thread.
class CrashNote {
 public:
  CrashNote(const std::filesystem::path& output_directory, const TaskError& error);
  ~CrashNote();
  CrashNote(const CrashNote&) = delete;
  CrashNote& operator=(const CrashNote&) = delete;

 private:
  static constexpr std::array signals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  std::array<struct sigaction, signals.size()> before_{};
  stack_t stack_before_{};
};

}  // namespace kernmill::tasks
