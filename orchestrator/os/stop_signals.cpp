#include "kernmill/os/stop_signals.hpp"

#include <cerrno>
#include <system_error>

#include <sys/signalfd.h>
#include <unistd.h>

namespace kernmill {
namespace {

bool is_ignored(int signal) {
  struct sigaction now {};
  return ::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

}  // namespace

StopSignals::StopSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    if (signal == SIGTERM || !is_ignored(signal)) sigaddset(&set, signal);
  if (sigprocmask(SIG_BLOCK, &set, &previous_) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot block signals");
  fd_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "cannot make a signalfd");
}

StopSignals::~StopSignals() {
  // A signal that is still pending would end the process right here, after the run was left in good order.
  while (next()) {
  }
  close(fd_);
  sigprocmask(SIG_SETMASK, &previous_, nullptr);
}

std::optional<int> StopSignals::next() const {
  signalfd_siginfo info{};
  if (read(fd_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return {};
  return static_cast<int>(info.ssi_signo);
}

}  // namespace kernmill
