#pragma once
#include <functional>

namespace kernmill::slurm {

/// Tries an action in a child process first: libslurm ends the process that reads a broken configuration.
/// When the child does not live through it, throws ClusterError{unavailable} with what was printed there.
void probe(const std::function<void()>& action);

}  // namespace kernmill::slurm
