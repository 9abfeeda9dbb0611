#pragma once
#include <cstdint>
#include <filesystem>

#include "kernmill/tasks/comm/communicator.hpp"

namespace kernmill::tasks {

/// The memory that is free for this process and the others of its job here: what the kernel calls available,
/// and no more than any of its control groups (v1 or v2) may use. `root` is where /proc and /sys lie.
std::uint64_t available_memory(const std::filesystem::path& root = "/");

/// Collective. How many bytes a rank may keep rows in when nobody says so: half of its share of the available
/// memory. Its share goes by the ranks on its node, or by the cores that it is bound to where those are
/// fewer.
std::uint64_t memory_for_rows(const Communicator& comm);

}  // namespace kernmill::tasks
