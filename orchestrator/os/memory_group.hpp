#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

namespace kernmill::exec {

/// The file below `root` (/sys/fs/cgroup) that counts the processes ended for want of memory in the group of
/// a process, by its /proc/PID/cgroup: memory.events, or memory.oom_control of the first version. In a job of
/// Slurm it is that of the whole job: its steps are groups beside the batch process.
std::filesystem::path memory_events_file(const std::filesystem::path& root, const std::string& groups);

/// The control group that bounds this job's memory, as it was when this was made.
class MemoryGroup {
 public:
  MemoryGroup();  ///< of this process
  explicit MemoryGroup(std::filesystem::path events);
  /// Whether the kernel has ended a process of the group for want of memory since then. Without such a group,
  /// or without the right to read it: false.
  [[nodiscard]] bool has_lost_a_process() const;
  /// The most bytes that the group has had; 0: not known, as of a group that is no job's alone.
  [[nodiscard]] std::uint64_t peak() const;

 private:
  [[nodiscard]] std::uint64_t kills() const;
  std::filesystem::path events_;
  std::uint64_t before_ = 0;
};

}  // namespace kernmill::exec
