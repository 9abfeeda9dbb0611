#pragma once
#include <string>

namespace kernmill::tasks {

/// Why the device that this program was built for cannot be used here, and what to do; empty where it can.
/// To be asked before Kokkos begins, which ends the program then.
std::string missing_device();

}  // namespace kernmill::tasks
