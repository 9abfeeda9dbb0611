#include "kernmill/exec/pack/pack_guard.hpp"

#include <cerrno>
#include <csignal>
#include <exception>
#include <system_error>

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "kernmill/os/process.hpp"

namespace kernmill::exec {
namespace {

[[noreturn]] void guard(int life, const std::string& token) {
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);  // told to end, the pack first sees to its instances
  ::prctl(PR_SET_PDEATHSIG, 0);
  ::prctl(PR_SET_NAME, "kernmill-guard");
  ::setpgid(0, 0);
  char word = 0;
  ssize_t got = 0;
  while ((got = ::read(life, &word, 1)) < 0 && errno == EINTR) {
  }
  if (got > 0) ::_exit(0);  // dismissed: the pack has come to its end
  try {
    end_tree(0, 0, token);
  } catch (const std::exception&) {
    ::_exit(1);
  }
  ::_exit(0);
}

}  // namespace

PackGuard::PackGuard(const std::string& token) : token_(token) {
  if (token.empty()) return;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot guard the instances of a pack");
  heard_ = FileDescriptor(ends[0]);
  life_ = FileDescriptor(ends[1]);
  pid_ = ::fork();
  if (pid_ < 0)
    throw std::system_error(errno, std::generic_category(), "cannot guard the instances of a pack");
  if (pid_ > 0) return;
  life_.reset();
  guard(ends[0], token);
}

PackGuard::~PackGuard() {
  if (pid_ == 0) return;
  // This process may have the token, too, so that the guard would end it: it ends what is left itself.
  [[maybe_unused]] const ssize_t ignored = ::write(life_.get(), "", 1);
  life_.reset();
  try {
    reap(pid_);
    end_tree(0, 0, token_);
  } catch (const std::exception&) {  // it ends by itself
  }
}

}  // namespace kernmill::exec
