#pragma once
#include "kernmill/tasks/comm/communicator.hpp"

namespace kernmill::tasks {

/// From now on SIGTERM and SIGUSR1 are remembered instead of ending the program.
void remember_stop_signals();

/// Whether this rank has been signalled. Ranks may differ: fold it into a reduction that you do anyway, or
/// use agree_to_stop.
bool stop_was_signalled();

/// Collective: true on every rank as soon as any rank has been signalled. Call it where all ranks are at the
/// same step; then write the checkpoint and throw Stopped.
bool agree_to_stop(const Communicator& comm);

}  // namespace kernmill::tasks
