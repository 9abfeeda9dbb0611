#pragma once
#include "kernmill/exec/attempt/attempt.hpp"
#include "kernmill/exec/job/launcher.hpp"

namespace kernmill::exec {

/// Which variables a program is started with, and where each comes from, for `explain --env`: the job's own,
/// Kernmill's, `env`, `pass_env`, or the batch system's. Values of secrets and of what was passed are left
/// out. `own` is this process's environment.
Json told_environment(const Environment& environment, const Environment& own, const Attempt& attempt);

/// Leaves it in the folder of an attempt, as `environment_file`.
void leave_environment(const Json& told, const std::filesystem::path& folder);

}  // namespace kernmill::exec
