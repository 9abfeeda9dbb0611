#include "kernmill/tasks/learn/monitor/line_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace kernmill::tasks {

LineFile::LineFile(std::filesystem::path file) : file_(std::move(file)) {
  write("", O_CREAT | O_TRUNC);
}

void LineFile::append(const Json& line) {
  write((is_torn_ ? "\n" : "") + line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n', O_APPEND);
}

void LineFile::write(std::string text, int flags) {
  if (file_.empty()) return;
  const int fd = ::open(file_.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0640);
  const ssize_t written = fd < 0 ? -1 : ::write(fd, text.data(), text.size());
  const int error = errno;
  const bool closed = fd < 0 || ::close(fd) == 0;
  const bool is_whole = written == static_cast<ssize_t>(text.size()) && closed;
  is_torn_ = is_torn_ ? !is_whole : written > 0 && !is_whole;
  if (is_whole || has_complained_) return;
  has_complained_ = true;
  fmt::print(stderr, "warning: {} cannot be written ({}): how training goes on is not told there\n",
             file_.string(), written < 0 || !closed ? std::strerror(error) : "the disk is full");
}

}  // namespace kernmill::tasks
