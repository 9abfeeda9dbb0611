#pragma once
#include <chrono>

#include "kernmill/exec/attempt/attempt.hpp"
#include "kernmill/exec/job/launcher.hpp"

namespace kernmill::exec {

/// Whether an earlier attempt has left something in the folder of checkpoints.
bool has_progress(const Attempt& attempt);

/// Whether `restart` is taken instead of `run`: one that names KERNMILL_CHECKPOINTS when something is in
/// there, any other also when an earlier attempt has begun.
bool takes_restart(const Attempt& attempt, const std::string& restart);

/// Makes the folder of checkpoints. What is written there is synced by who writes it.
void make_checkpoints(const Attempt& attempt);

/// What a command needs to go on where an earlier attempt has stopped: KERNMILL_CHECKPOINTS and
/// KERNMILL_RESUMED.
void add_continuation(Environment& environment, const Attempt& attempt);

/// KERNMILL_DEADLINE: when its time limit ends the command, in seconds since 1970.
void set_deadline(Environment& environment, std::chrono::system_clock::time_point end);

}  // namespace kernmill::exec
