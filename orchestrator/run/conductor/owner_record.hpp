#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <sys/types.h>

#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/run/journal/journal.hpp"

/// Private to run/conductor: who has a run, known by the content of files, for file systems on which flock is
/// each node's own, or is not there at all (ADR 0015).
namespace kernmill {

/// This kernel, since it was booted; empty where it does not say.
std::string boot_id();

struct OwnerTimes {
  std::chrono::milliseconds beat{3'000};       ///< between two signs of life
  std::chrono::milliseconds patience{24'000};  ///< without one, an owner on another kernel counts as gone
};

/// `conductor.owner-<number>`: the one with the highest number tells who has the run.
struct OwnerFile {
  unsigned number = 0;
  ProcessIdentity process;
  std::string boot;  ///< of the kernel that it runs on
  std::string beat;  ///< changes as long as it lives
  [[nodiscard]] bool is_released() const;
};
std::optional<OwnerFile> newest_owner(const std::filesystem::path& run);

/// Whether an owner on another kernel shows a sign of life within `time`. No clock but this process's own.
bool shows_life(const std::filesystem::path& run, const OwnerFile& owner, std::chrono::milliseconds time);

/// Makes this process the owner for as long as the object lives: it beats, and gets SIGTERM when another has
/// taken the run over since it seemed to be gone.
class OwnerRecord {
 public:
  struct Self {
    ProcessIdentity process;
    std::string boot;
    OwnerTimes times = {};
  };
  /// `has_lock`: no other process of this kernel has the run. It is ours then unless `other` says whose.
  OwnerRecord(const std::filesystem::path& run, Self self, bool has_lock);
  ~OwnerRecord();
  OwnerRecord(const OwnerRecord&) = delete;
  OwnerRecord& operator=(const OwnerRecord&) = delete;

  /// Another process that has the run; nothing: it is ours.
  [[nodiscard]] const std::optional<OwnerFile>& other() const { return other_; }
  /// Whether another process has taken it over.
  [[nodiscard]] bool is_lost() const { return is_lost_; }

 private:
  [[nodiscard]] bool has_the_run(const OwnerFile& owner, bool has_lock) const;
  bool make(unsigned number);
  void start_beating();
  void beat();
  void write_beat(const std::string& text) const;
  [[nodiscard]] bool is_taken_over() const;

  std::filesystem::path run_;
  Self self_;
  std::optional<OwnerFile> other_;
  FileDescriptor file_;
  unsigned number_ = 0;
  off_t beat_at_ = 0;
  std::atomic<bool> is_lost_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace kernmill
