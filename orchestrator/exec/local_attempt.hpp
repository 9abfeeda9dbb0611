#pragma once
#include "kernmill/exec/attempt/options.hpp"
#include "kernmill/os/stop_requests.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill::exec {

/// Carries out the attempt that the command line names. Returns an exit status.
int run_local_attempt(const Options& options, const RunDirectory& run, StopRequests& stop,
                      const JournalWriter::Hook& hook);

}  // namespace kernmill::exec
