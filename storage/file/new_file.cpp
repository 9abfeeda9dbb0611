#include "kernmill/storage/file/new_file.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "kernmill/storage/file/durable.hpp"

namespace kernmill::storage {

NewFile::NewFile(const std::filesystem::path& file) : file_(file), temporary_(temporary_beside(file)) {
  create_empty(temporary_, file_);
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd_ >= 0) return;
  const int error = errno;
  remove_quietly(temporary_);
  throw system_error(file_, "write it", error);
}

NewFile::~NewFile() {
  ::close(fd_);
  if (!temporary_.empty()) remove_quietly(temporary_);
}

void NewFile::write(std::string_view bytes) const {
  if (const int error = fault_at("write"); error != 0) throw system_error(file_, "write it", error);
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error(file_, "write it", errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

void NewFile::sync() const {
  if (const int error = fault_at("sync"); error != 0) throw system_error(file_, "sync it to disk", error);
  if (::fsync(fd_) != 0) throw system_error(file_, "sync it to disk", errno);
}

void NewFile::publish() {
  storage::publish(temporary_, file_);
  temporary_.clear();
}

void NewFile::publish_by_umask() {
  storage::publish_by_umask(temporary_, file_);
  temporary_.clear();
}

}  // namespace kernmill::storage
