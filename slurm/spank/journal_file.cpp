#include "kernmill/slurm/spank/journal_file.hpp"

#include <cerrno>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace kernmill::spank {
namespace {

constexpr int patience_ms = 10'000;

/// After fork in a process of many threads: system calls only.
int become(const Owner& owner) {
  if (::geteuid() != 0) return 0;
  if (::syscall(SYS_setgroups, owner.groups.size(), owner.groups.data()) != 0) return errno;
  if (::syscall(SYS_setresgid, owner.group, owner.group, owner.group) != 0) return errno;
  if (::syscall(SYS_setresuid, owner.user, owner.user, owner.user) != 0) return errno;
  return 0;
}

int append(const char* file, const std::string& line) {
  const int target = ::open(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (target < 0) return errno;
  struct stat before {};
  if (::fstat(target, &before) != 0) return errno;
  const ssize_t written = ::write(target, line.data(), line.size());
  if (written == static_cast<ssize_t>(line.size())) return ::fdatasync(target) == 0 ? 0 : errno;
  const int reason = written < 0 ? errno : ENOSPC;
  if (written > 0 && ::ftruncate(target, before.st_size) != 0) return errno;
  return reason;
}

int wait_for(pid_t child) {
  constexpr int step_ms = 2;
  for (int waited = 0; waited < patience_ms; waited += step_ms) {
    int status = 0;
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
    if (ended < 0 && errno != EINTR) return errno;
    const timespec pause{0, step_ms * 1'000'000};
    ::nanosleep(&pause, nullptr);
  }
  ::kill(child, SIGKILL);
  return ETIMEDOUT;
}

}  // namespace

int append_as(const Owner& owner, const std::string& file, const std::string& line) {
  const pid_t child = ::fork();
  if (child < 0) return errno;
  if (child == 0) {
    const int refused = become(owner);
    ::_exit(refused != 0 ? refused : append(file.c_str(), line));
  }
  return wait_for(child);
}

}  // namespace kernmill::spank
