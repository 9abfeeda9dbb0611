#include "kernmill/storage/tool/guard.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kernmill::storage::tool {
namespace {

/// Waits for the child to end, at most so long, by the pipe that closes with it. (Where other threads are,
/// SIGCHLD may find one of those, and is gone.)
bool ends_within(std::chrono::seconds patience, int closes_with_it) {
  using std::chrono::milliseconds;
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now());
    constexpr milliseconds most{1'000'000'000};
    pollfd entry{closes_with_it, POLLIN, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::clamp(left, milliseconds(0), most).count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");
    if (std::chrono::steady_clock::now() >= end) return false;
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
  constexpr off_t longest = off_t{1} << 20;  // whoever has taken the child over may have filled it
  std::string content(static_cast<std::size_t>(std::clamp<off_t>(::lseek(file, 0, SEEK_END), 0, longest)),
                      '\0');
  const ssize_t size = ::pread(file, content.data(), content.size(), 0);
  content.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return content;
}

}  // namespace

ChildEnd in_child(const std::function<int(std::string& said)>& work, std::chrono::seconds patience) {
  const int text = ::memfd_create("said", MFD_CLOEXEC);
  if (text < 0) throw std::system_error(errno, std::generic_category(), "memfd_create");
  int life[2];
  if (::pipe2(life, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) be_the_child(work, text);
  ::close(life[1]);
  ChildEnd end;
  int status = 0;
  if (!ends_within(patience, life[0])) {
    end.timed_out = true;
    ::kill(child, SIGKILL);
  }
  ::close(life[0]);
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  end.said = content_of(text);
  ::close(text);
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  return end;
}

}  // namespace kernmill::storage::tool
