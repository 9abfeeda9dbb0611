#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace kernmill::testing {

/// What a program did, and what it took.
struct Watched {
  int exit_code = 0, signal = 0;
  bool in_time = true;            ///< else it was ended
  std::uint64_t most_memory = 0;  ///< in bytes, of it or of a child of its
  std::string said;               ///< on stdout and stderr
};
Watched watch(const std::vector<std::string>& argv, const std::filesystem::path& folder,
              std::chrono::seconds patience);

}  // namespace kernmill::testing
