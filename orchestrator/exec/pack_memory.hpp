#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "kernmill/exec/launcher.hpp"

namespace kernmill::exec {

/// Bytes that an element may use: what it got (0: not known), what its control group allows, or what was
/// asked for; the least of those that are known. 0: no limit is known.
std::uint64_t memory_limit(std::uint64_t got, const Resources& asked);

/// Asks the kernel to spare this process, which looks after the others; not everybody may.
void spare_this_process();

/// Resident bytes of processes and all that descends from them or is in the process group of one.
std::map<int, std::uint64_t> resident_memory(const std::vector<int>& roots);

}  // namespace kernmill::exec
