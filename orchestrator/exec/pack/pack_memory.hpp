#pragma once
#include <chrono>
#include <cstdint>

#include "kernmill/exec/job/launcher.hpp"

namespace kernmill::exec {

/// Bytes that an element may use: what it got (0: not known), what its control group allows, or what was
/// asked for; the least of those that are known. 0: no limit is known.
std::uint64_t memory_limit(std::uint64_t got, const Resources& asked);

/// Asks the kernel to spare this process, which looks after the others; not everybody may.
void spare_this_process();

/// Resident bytes of a process and all that descends from it.
std::uint64_t resident_memory(int root);

/// How long the limit cannot be reached by so many instances, as fast as memory can be filled: 30
/// milliseconds at least, a second at most.
std::chrono::milliseconds until_next_sample(std::uint64_t used, std::uint64_t limit, std::size_t running);

}  // namespace kernmill::exec
