#include "kernmill/run/conductor/conductor_process.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <poll.h>
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

std::optional<ConductorProcess> ConductorProcess::proved(const fs::path& lock, const ProcessIdentity& named,
                                                         Means means) {
  struct stat file {};
  if (named.pid <= 0 || named.host != host_name() || ::lstat(lock.c_str(), &file) != 0) return {};
  FileDescriptor process;
  if (means == Means::descriptor) {
    process = FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, named.pid, 0)));
    if (!process && errno != ENOSYS && errno != EPERM) return {};  // EPERM: a sandbox that does not know it
  }
  // Looked at after the descriptor was got: that is the process from here on, or it has ended.
  const bool is_it = is_alive(named.pid, named.start_time) && effective_user_of(named.pid) == file.st_uid &&
                     has_open(named.pid, file);
  if (!is_it) return {};
  return ConductorProcess(named, std::move(process));
}

void ConductorProcess::signal(int signal) const {
  // One that has ended is as good.
  if (descriptor_)
    ::syscall(SYS_pidfd_send_signal, descriptor_.get(), signal, nullptr, 0);
  else if (is_alive(identity_.pid, identity_.start_time))
    ::kill(identity_.pid, signal);
}

void ConductorProcess::wait() const {
  if (descriptor_) {
    pollfd ended{descriptor_.get(), POLLIN, 0};
    while (::poll(&ended, 1, -1) < 0 && errno == EINTR) {
    }
    return;
  }
  while (is_alive(identity_.pid, identity_.start_time))
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

}  // namespace kernmill
