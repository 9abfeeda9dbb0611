#pragma once
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace kernmill::cli {

/// What a program did that was started and waited for.
struct Captured {
  int exit_code = -1;      ///< 128 + signal when a signal ended it; -1: it could not be started
  bool timed_out = false;  ///< it was ended because it took too long
  std::string output;      ///< stdout and stderr; or why it could not be started
};

/// Runs a program for `timeout` at most, with `env` as its whole environment, and keeps what it prints.
Captured run_captured(const std::vector<std::string>& argv,
                      const std::vector<std::pair<std::string, std::string>>& env,
                      std::chrono::seconds timeout);

}  // namespace kernmill::cli
