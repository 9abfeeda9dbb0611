#include "kernmill/os/stop_requests.hpp"

#include <cerrno>
#include <csignal>
#include <system_error>

#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace kernmill::exec {

StopRequests::StopRequests() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&set, signal);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_ = FileDescriptor(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!signals_) throw std::system_error(errno, std::generic_category(), "cannot listen for signals");
  const pid_t parent = ::getppid();
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  told_to_end_ = ::getppid() != parent;  // it died before it could have been told
}

bool StopRequests::asked() {
  signalfd_siginfo info;
  while (::read(signals_.get(), &info, sizeof info) == sizeof info)
    (info.ssi_signo == SIGUSR1 ? time_is_short_ : told_to_end_) = true;
  return time_is_short_ || told_to_end_;
}

}  // namespace kernmill::exec
