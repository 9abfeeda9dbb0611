#include "kernmill/exec/stall/helper.hpp"

#include <cerrno>
#include <csignal>
#include <exception>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kernmill::exec {
namespace {

int start(const std::function<void()>& work) {
  const int child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "cannot start a helper");
  if (child > 0) return child;
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  int status = 0;
  try {
    work();
  } catch (const std::exception&) {
    status = 1;
  }
  ::_exit(status);
}

}  // namespace

Helper::Helper(const SpawnOptions& program, Clock::time_point end) : pid_(spawn(program)), end_(end) {}

Helper::Helper(const std::function<void()>& work, Clock::time_point end) : pid_(start(work)), end_(end) {}

Helper::Helper(Helper&& other) noexcept : pid_(std::exchange(other.pid_, 0)), end_(other.end_) {}

Helper::~Helper() {
  if (pid_ == 0) return;
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);  // it may not lead its group yet
  ::waitpid(pid_, nullptr, WNOHANG);
}

bool ends_well_within(const SpawnOptions& program, std::chrono::milliseconds time) {
  const int child = spawn(program);
  const FileDescriptor process(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  pollfd entry{process.get(), POLLIN, 0};
  const bool has_ended = process && ::poll(&entry, 1, static_cast<int>(time.count())) == 1;
  if (!has_ended) ::kill(-child, SIGKILL);
  return reap(child) == 0 && has_ended;
}

Helper::State Helper::look(Clock::time_point now) {
  if (pid_ == 0) return State::failed;
  int status = 0;
  const int ended = ::waitpid(pid_, &status, WNOHANG);
  if (ended == 0 && now < end_) return State::running;
  if (ended == 0) {
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    // One that the kernel does not let go of is left to whoever reaps orphans.
    ::waitpid(pid_, nullptr, WNOHANG);
  }
  pid_ = 0;
  return ended > 0 && status == 0 ? State::done : State::failed;
}

}  // namespace kernmill::exec
