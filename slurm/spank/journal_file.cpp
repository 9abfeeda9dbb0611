#include "kernmill/slurm/spank/journal_file.hpp"

#include <algorithm>
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

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// After fork in a process of many threads: system calls only.
int become(const Owner& owner) {
  if (::geteuid() != 0) return ::geteuid() == owner.user ? 0 : EPERM;
  if (::syscall(SYS_setgroups, owner.groups.size(), owner.groups.data()) != 0) return errno;
  if (::syscall(SYS_setresgid, owner.group, owner.group, owner.group) != 0) return errno;
  if (::syscall(SYS_setresuid, owner.user, owner.user, owner.user) != 0) return errno;
  return ::geteuid() == owner.user && ::getuid() == owner.user ? 0 : EPERM;
}

/// Nothing that slurmstepd has open is kept open by a child that may be stuck, or is within its reach.
void close_all() {
#ifdef SYS_close_range
  if (::syscall(SYS_close_range, 0U, ~0U, 0U) == 0) return;
#endif
  const long end = ::sysconf(_SC_OPEN_MAX);  // a kernel before 5.9
  for (int fd = 0; fd < end; ++fd) ::close(fd);
}

int append_line(const char* file, const std::string& line, uid_t user) {
  // O_NONBLOCK: a FIFO that somebody has put there does not keep us.
  const int target =
      ::open(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644);
  if (target < 0) return errno;
  struct stat before {};
  if (::fstat(target, &before) != 0) return errno;
  if (!S_ISREG(before.st_mode)) return EINVAL;
  if (before.st_uid != user) return EPERM;
  const ssize_t written = ::write(target, line.data(), line.size());
  if (written == static_cast<ssize_t>(line.size())) return ::fdatasync(target) == 0 ? 0 : errno;
  const int reason = written < 0 ? errno : ENOSPC;
  if (written > 0 && ::ftruncate(target, before.st_size) != 0) return errno;
  return reason;
}

/// Whether the child has ended, or is not ours (any more).
bool has_ended(pid_t child, int& status) {
  const pid_t ended = ::waitpid(child, &status, WNOHANG);
  return ended == child || (ended < 0 && errno != EINTR);
}

/// Gives whether the child ended in time.
bool ends_before(pid_t child, Clock::time_point latest, int& status) {
  for (milliseconds pause{1};; pause = std::min(2 * pause, milliseconds(20))) {
    if (has_ended(child, status)) return true;
    if (Clock::now() >= latest) return false;
    const timespec time{0, pause.count() * 1'000'000};
    ::nanosleep(&time, nullptr);
  }
}

}  // namespace

int StepJournal::append(const std::string& file, const std::string& line) {
  reap();
  if (left_ <= milliseconds(0)) return ETIMEDOUT;
  const pid_t child = ::fork();
  if (child < 0) return errno;
  if (child == 0) {
    close_all();
    const int refused = become(owner_);
    ::_exit(refused != 0 ? refused : append_line(file.c_str(), line, owner_.user));
  }
  return wait_for(child);
}

int StepJournal::wait_for(pid_t child) {
  const auto begun = Clock::now();
  int status = -1;
  const bool in_time = ends_before(child, begun + left_, status);
  left_ -= std::min(left_, std::chrono::duration_cast<milliseconds>(Clock::now() - begun));
  if (in_time) return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
  left_ = milliseconds(0);
  ::kill(child, SIGKILL);
  constexpr milliseconds to_end{100};  // at once, unless the kernel holds it
  if (!ends_before(child, Clock::now() + to_end, status)) children_.push_back(child);
  return ETIMEDOUT;
}

void StepJournal::reap() {
  int status = 0;
  std::erase_if(children_, [&](pid_t child) { return has_ended(child, status); });
}

}  // namespace kernmill::spank
