#include "kernmill/run/conductor/conductor_process.hpp"

#include <fstream>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernmill/os/process.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;

/// The user that a process acts for: who owns its folder in /proc is another matter.
std::optional<uid_t> effective_user_of(int pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string word; status >> word;) {
    if (word != "Uid:") continue;
    uid_t real = 0, effective = 0;
    if (status >> real >> effective) return effective;
    return {};
  }
  return {};
}

bool has_open(int pid, const struct stat& file) {
  std::error_code unreadable;
  for (fs::directory_iterator entry(fmt::format("/proc/{}/fd", pid), unreadable), end;
       !unreadable && entry != end; entry.increment(unreadable)) {
    struct stat open {};
    if (::stat(entry->path().c_str(), &open) == 0 && open.st_dev == file.st_dev && open.st_ino == file.st_ino)
      return true;
  }
  return false;
}

}  // namespace

FileDescriptor proved_conductor(const fs::path& lock, const ProcessIdentity& named) {
  struct stat file {};
  if (named.pid <= 0 || named.host != host_name() || ::lstat(lock.c_str(), &file) != 0) return {};
  FileDescriptor process(static_cast<int>(::syscall(SYS_pidfd_open, named.pid, 0)));
  if (!process) return {};
  // Looked at after the descriptor was got: that is the process from here on, or it has ended.
  const bool is_it = is_alive(named.pid, named.start_time) && effective_user_of(named.pid) == file.st_uid &&
                     has_open(named.pid, file);
  if (!is_it) return {};
  return process;
}

void signal_conductor(const FileDescriptor& conductor, int signal) {
  ::syscall(SYS_pidfd_send_signal, conductor.get(), signal, nullptr, 0);  // one that has ended is as good
}

}  // namespace kernmill
