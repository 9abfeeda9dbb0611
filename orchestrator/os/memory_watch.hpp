#pragma once
#include <cstdint>
#include <vector>

namespace kernmill::exec {

/// Watches that a step in the batch process stays below the memory of its job. A batch system that samples
/// memory ends the whole batch process, and nobody would be left to say why and to ask for more.
class MemoryWatch {
 public:
  /// `limit`: bytes; 0: nothing is watched.
  explicit MemoryWatch(std::uint64_t limit) : limit_(limit) {}
  [[nodiscard]] bool is_on() const { return limit_ > 0; }
  /// Whether the process, its descendants and this process have more memory of their own than the limit. What
  /// several of them share counts once; files that are mapped do not count: the kernel can drop them.
  [[nodiscard]] bool is_exceeded(int pid) const;

  /// Whether a child that has been reaped, or one of its own, had that much at its peak. The batch system may
  /// have seen it first, and told the whole job to end.
  [[nodiscard]] bool was_exceeded() const;

 private:
  std::uint64_t limit_;
};

/// Bytes that the largest of the children of this process that have been reaped had, their own included.
std::uint64_t peak_of_children();

/// A process and its descendants.
std::vector<int> descendants(int pid);

}  // namespace kernmill::exec
