#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include <sys/types.h>

namespace kernmill::spank {

/// The peak of resident memory that the kernel knows of a process, in bytes; 0 when it has none (any more).
std::uint64_t peak_memory(pid_t process, const std::string& proc = "/proc");

/// Samples the memory of processes beside whatever else this process does. A process that has ended has no
/// memory to read: what is known of it is its last sample.
class MemoryWatch {
 public:
  explicit MemoryWatch(std::chrono::milliseconds interval) : interval_(interval) {}
  ~MemoryWatch() { stop(); }
  MemoryWatch(const MemoryWatch&) = delete;
  MemoryWatch& operator=(const MemoryWatch&) = delete;

  /// Throws std::system_error when no thread can be started.
  void add(pid_t process);
  /// The last sample of a process, which is not watched from here on.
  std::uint64_t take(pid_t process);
  void stop();

 private:
  void run();
  const std::chrono::milliseconds interval_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<pid_t, std::uint64_t> peaks_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace kernmill::spank
