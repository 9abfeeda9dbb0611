#pragma once
#include "kernmill/exec/attempt/options.hpp"
#include "kernmill/os/stop_requests.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill::exec {

/// Runs the instances that a conductor of this machine has packed together, as an element of a job array
/// does. Returns an exit status, as run_pack.
int run_local_pack(const Options& options, const RunDirectory& run, StopRequests& stop,
                   const JournalWriter::Hook& hook);

}  // namespace kernmill::exec
