#pragma once

namespace kernmill {

/// What a program of Kernmill exits with.
enum ExitStatus : int {
  exit_done = 0,           ///< or there was nothing to do
  exit_failed = 1,         ///< what was to be run has failed
  exit_usage = 2,          ///< the command line or the workflow cannot be meant
  exit_unavailable = 3,    ///< the scheduler, a file or another process is in the way
  exit_stopped = 75,       ///< asked to stop; it can be continued (EX_TEMPFAIL)
  exit_interrupted = 130,  ///< by the user, as a shell says it (128 + SIGINT)
};

}  // namespace kernmill
