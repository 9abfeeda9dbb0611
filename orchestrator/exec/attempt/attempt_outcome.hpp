#pragma once
#include <optional>
#include <string>

#include "kernmill/exec/attempt/attempt.hpp"
#include "kernmill/exec/attempt/reduce.hpp"
#include "kernmill/exec/attempt/step.hpp"
#include "kernmill/plan/progress.hpp"

namespace kernmill::exec {

/// How a step's end is to be read: something to commit, or why not.
struct AttemptOutcome {
  enum class What { done, failed, stopped };
  What what = What::done;
  Leavings leavings;  ///< of a done one
  Cause cause = Cause::error;
  int exit_code = 0;
  int signal = 0;  ///< that ended it; 0: none, or not known
  std::string message;
  std::string node = {};          ///< of a batch system, because of which it ended
  std::uint64_t peak_memory = 0;  ///< as CommittedResult has it
};

/// Reads a step's end. For a task, error.json and result.json decide before the exit status does: a launcher
/// ends the ranks that are left when one ends, and may return what one of those ended with. Throws
/// AttemptError when what the step left is unusable.
AttemptOutcome read_outcome(const Attempt& attempt, const StepEnd& end);

}  // namespace kernmill::exec
