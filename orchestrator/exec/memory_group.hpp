#pragma once
#include <cstdint>
#include <filesystem>

namespace kernmill::exec {

/// The control group that bounds this job's memory, as it was when this was made.
class MemoryGroup {
 public:
  MemoryGroup();
  /// Whether the kernel has ended a process of the group for want of memory since then. Without such a group,
  /// or without the right to read it: false.
  [[nodiscard]] bool has_lost_a_process() const;

 private:
  [[nodiscard]] std::uint64_t kills() const;
  std::filesystem::path events_;
  std::uint64_t before_ = 0;
};

}  // namespace kernmill::exec
