#pragma once
#include <vector>

namespace kernmill::exec {

using CoreSet = std::vector<unsigned>;  ///< numbers of logical CPUs, ascending

/// Those that this process may run on.
CoreSet allowed_cores();

/// As many sets of `wanted` cores each (fewer where there are not enough), none in two sets, neighbours
/// together. Empty sets when there are fewer cores than sets: nobody is pinned then.
std::vector<CoreSet> split_cores(const CoreSet& allowed, unsigned sets, unsigned wanted);

}  // namespace kernmill::exec
