#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace kernmill::storage::tool {

/// What a process needs that reads files of somebody else's.
struct Needs {
  std::vector<std::filesystem::path> files;  ///< to read
  std::uint64_t memory = 0;                  ///< bytes of address space, beyond what it has now
  std::chrono::seconds processor{0};         ///< time, beyond what it has had
};

/// Takes away what it does not need, for the rest of its life: memory, time, core files and privileges on
/// every kernel; by Landlock other files, by seccomp the network, other programs and any writing of files, on
/// one that has them. What is open already stays open.
void confine(const Needs& needs);

}  // namespace kernmill::storage::tool
