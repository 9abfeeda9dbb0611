#pragma once
#include <filesystem>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/os/file_descriptor.hpp"

namespace kernmill::testing {

/// A named pipe by which processes tell a test that something has happened, a line for each event.
class EventPipe {
 public:
  explicit EventPipe(const std::filesystem::path& path) : path_(path) {
    if (::mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("cannot make " + path.string());
    // Open for both, so that there is no end of file while nobody writes.
    pipe_ = FileDescriptor(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  }

  /// The next line. Throws when none comes within a minute: a test must not hang.
  std::string next() {
    std::string line;
    for (char c = 0;; line += c) {
      pollfd entry{pipe_.get(), POLLIN, 0};
      if (::poll(&entry, 1, 60'000) != 1 || ::read(pipe_.get(), &c, 1) != 1)
        throw std::runtime_error("nobody wrote to " + path_.string());
      if (c == '\n') return line;
    }
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
  FileDescriptor pipe_;
};

}  // namespace kernmill::testing
