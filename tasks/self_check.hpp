#pragma once
#include "kernmill/tasks/comm/communicator.hpp"

namespace kernmill::tasks {

/// Collective. Prints a line of JSON about this installation, from one rank: its libraries, and how many
/// ranks have found each other. Ranks that a foreign mpiexec started each think that they are alone, and
/// print a line each.
void print_self_check(const Communicator& world);

}  // namespace kernmill::tasks
