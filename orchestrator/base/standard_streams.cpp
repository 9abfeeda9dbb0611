#include "kernmill/base/standard_streams.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "kernmill/base/exit_status.hpp"

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

/// What stdout could not take: the first error. A log's is nobody's concern.
int output_error = 0;
bool output_is_log = false;
std::FILE* first_stdout = nullptr;  // std::cout goes on writing there

/// Writes what can be written; 0, or what errno was.
int write_all(int descriptor, const char* text, std::size_t size) {
  for (std::size_t done = 0; done < size;) {
    const ssize_t some = ::write(descriptor, text + done, size - done);
    if (some < 0 && errno != EINTR) return errno;
    if (some > 0) done += static_cast<std::size_t>(some);
  }
  return 0;
}

// Both take everything: a stream that fails halfway made whoever prints throw.

ssize_t write_message(void*, const char* text, std::size_t size) {
  const PipeSignalHeld held;
  const int before = errno;
  write_all(STDERR_FILENO, text, size);
  errno = before;
  return static_cast<ssize_t>(size);
}

ssize_t write_output(void*, const char* text, std::size_t size) {
  const int before = errno;
  std::optional<PipeSignalHeld> held;
  if (output_is_log) held.emplace();
  if (output_error == 0) output_error = write_all(STDOUT_FILENO, text, size);
  if (output_is_log) output_error = 0;
  held.reset();
  errno = before;
  return static_cast<ssize_t>(size);
}

/// Nothing when there is no memory: the stream stays as it is.
std::FILE* stream_to(cookie_write_function_t* write, int mode) {
  std::FILE* stream =
      ::fopencookie(nullptr, "w", {.read = nullptr, .write = write, .seek = nullptr, .close = nullptr});
  if (stream != nullptr) std::setvbuf(stream, nullptr, mode, mode == _IONBF ? 0 : BUFSIZ);
  return stream;
}

[[noreturn]] void fail_to_print(int reason) {
  throw std::system_error(reason, std::generic_category(), "cannot write to the standard output");
}

}  // namespace

void open_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) < 0)
      throw std::system_error(errno, std::generic_category(), "cannot open /dev/null");
  if (std::FILE* messages = stream_to(write_message, _IONBF)) stderr = messages;
  first_stdout = stdout;
  if (std::FILE* output = stream_to(write_output, ::isatty(STDOUT_FILENO) == 1 ? _IOLBF : _IOFBF))
    stdout = output;
}

void make_output_a_log() {
  output_is_log = true;
}

void flush_standard_output() {
  for (std::FILE* stream : {first_stdout, stdout}) {
    if (stream == nullptr) continue;
    if (std::fflush(stream) != 0) fail_to_print(errno);
    if (std::ferror(stream) != 0) throw std::runtime_error("something of the standard output was lost");
  }
  if (output_error != 0) fail_to_print(output_error);
}

int flushed(int status) noexcept {
  try {
    flush_standard_output();
    return status;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return exit_unavailable;
  }
}

}  // namespace kernmill
