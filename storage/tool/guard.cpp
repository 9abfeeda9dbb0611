#include "kernmill/storage/tool/guard.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kernmill::storage::tool {
namespace {

/// Waits for the child, at most so long. True when it has ended.
bool await(pid_t child, std::chrono::seconds patience, int& status) {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGCHLD);
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return true;
    if (ended < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
    const auto left =
        std::chrono::duration_cast<std::chrono::seconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    const timespec time{left.count(), 0};
    ::sigtimedwait(&mask, nullptr, &time);
  }
}

[[noreturn]] void be_the_child(const std::function<int(std::string& said)>& work, int text) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  std::string said;
  const int result = work(said);
  std::fflush(nullptr);
  const ssize_t written = ::write(text, said.data(), said.size());
  ::_exit(written < 0 ? EXIT_FAILURE : result);
}

std::string content_of(int file) {
  std::string content(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)), '\0');
  const ssize_t size = ::pread(file, content.data(), content.size(), 0);
  content.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return content;
}

}  // namespace

ChildEnd in_child(const std::function<int(std::string& said)>& work, std::chrono::seconds patience) {
  const int text = ::memfd_create("said", MFD_CLOEXEC);
  if (text < 0) throw std::system_error(errno, std::generic_category(), "memfd_create");
  sigset_t mask, before;
  sigemptyset(&mask);
  sigaddset(&mask, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &mask, &before);  // it waits until it is asked for
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) {
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    be_the_child(work, text);
  }
  ChildEnd end;
  int status = 0;
  if (!await(child, patience, status)) {
    end.timed_out = true;
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  end.said = content_of(text);
  ::close(text);
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  return end;
}

}  // namespace kernmill::storage::tool
