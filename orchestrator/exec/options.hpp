#pragma once
#include <string>
#include <vector>

#include "kernmill/exec/attempt.hpp"

namespace kernmill::exec {

/// The command line of kernmill-exec.
struct Options {
  std::filesystem::path run;
  AttemptName attempt;
  std::string job;
  unsigned restart = 0;
  bool no_cache = false;
  double time_factor = 1.0;  ///< a retry may be given more time
};

/// Throws std::invalid_argument: what is wrong, and how it is used.
Options parse_options(const std::vector<std::string>& words);

}  // namespace kernmill::exec
