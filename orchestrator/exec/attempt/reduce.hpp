#pragma once
#include "kernmill/exec/attempt/attempt.hpp"

namespace kernmill::exec {

/// What an attempt leaves, before it is committed: metrics, and artifacts as name -> path.
struct Leavings {
  Json metrics = Json::object();
  std::vector<std::pair<std::string, std::filesystem::path>> artifacts = {};
  std::uint64_t peak_memory = 0;  ///< as CommittedResult has it
  std::string warning = {};       ///< likewise
  bool has_history = false;       ///< of its metrics
};

/// Ends a tune stage: picks the best of the trials that have committed (ties go to the lowest trial; one
/// without a finite value never wins) and writes best.json and trials.csv. The outputs of the best one are
/// its own, too. Throws AttemptError when no trial has a value.
Leavings reduce_trials(const Attempt& attempt);

}  // namespace kernmill::exec
