#include "kernmill/base/standard_streams.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace kernmill {
namespace {

/// SIGPIPE of a write by this thread is taken away before anybody sees it.
class PipeSignalHeld {
 public:
  PipeSignalHeld() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~PipeSignalHeld() {
    const timespec now{};
    while (!was_pending_ && sigtimedwait(&pipe_, nullptr, &now) < 0 && errno == EINTR) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  PipeSignalHeld(const PipeSignalHeld&) = delete;
  PipeSignalHeld& operator=(const PipeSignalHeld&) = delete;

 private:
  sigset_t pipe_, before_;
  bool was_pending_ = false;
};

/// Takes everything, and writes what can be written.
ssize_t write_message(void*, const char* text, std::size_t size) {
  const PipeSignalHeld held;
  const int before = errno;
  for (std::size_t done = 0; done < size;) {
    const ssize_t some = ::write(STDERR_FILENO, text + done, size - done);
    if (some < 0 && errno != EINTR) break;
    if (some > 0) done += static_cast<std::size_t>(some);
  }
  errno = before;
  return static_cast<ssize_t>(size);
}

}  // namespace

void open_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) < 0)
      throw std::system_error(errno, std::generic_category(), "cannot open /dev/null");
  std::FILE* messages = ::fopencookie(
      nullptr, "w", {.read = nullptr, .write = write_message, .seek = nullptr, .close = nullptr});
  if (messages == nullptr) return;  // no memory: stderr stays as it is
  std::setvbuf(messages, nullptr, _IONBF, 0);
  stderr = messages;
}

void flush_standard_output() {
  if (std::fflush(stdout) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot write to the standard output");
  if (std::ferror(stdout) != 0) throw std::runtime_error("something of the standard output was lost");
}

}  // namespace kernmill
