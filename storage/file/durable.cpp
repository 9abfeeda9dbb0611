#include "kernmill/storage/file/durable.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kernmill::storage {
namespace fs = std::filesystem;
namespace {

Fault& fault() {
  static Fault current;
  return current;
}

/// A file descriptor that closes itself; `close` tells what the destructor would swallow.
class Descriptor {
 public:
  Descriptor(const fs::path& file, const fs::path& named, int flags, std::string_view what)
      : named_(named), fd_(open(file.c_str(), flags | O_CLOEXEC, 0600)) {
    if (fd_ < 0) throw system_error(named, what, errno);
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  void close() {
    if (::close(std::exchange(fd_, -1)) != 0) throw system_error(named_, "close it", errno);
  }

 private:
  fs::path named_;
  int fd_;
};

void fail_if(int error, const fs::path& file, std::string_view what) {
  if (error != 0) throw system_error(file, what, error);
}

fs::path directory_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

/// A file is open to whom its directory is: to its owner, or to the group, too.
mode_t mode_in(const fs::path& directory) {
  struct stat status {};
  return stat(directory.c_str(), &status) == 0 && (status.st_mode & S_IRGRP) != 0 ? 0640 : 0600;
}

std::string_view way_out(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return ". Free some space, or choose another directory";
    case EROFS:
    case EACCES:
    case EPERM:
      return ". Choose a directory that you may write to, or change its permissions";
    case ENOENT:
      return ". Check the path";
    default:
      return "";
  }
}

}  // namespace

void set_fault(Fault next) {
  fault() = std::move(next);
}

int fault_at(std::string_view step) {
  return fault() ? fault()(step) : 0;
}

Error system_error(const fs::path& file, std::string_view what, int error) {
  return Error(fmt::format("{}: cannot {}: {}{}", file.string(), what, std::strerror(error), way_out(error)));
}

fs::path temporary_beside(const fs::path& file) {
  return file.parent_path() / fmt::format(".{}.partial", file.filename().string());
}

void reserve_space(const fs::path& file, std::uint64_t bytes) {
  const std::string what = fmt::format("reserve {} bytes", bytes);
  fail_if(fault_at("reserve"), file, what);
  if (bytes == 0) return;
  const Descriptor fd(file, file, O_WRONLY, what);
  if (fallocate(fd.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes)) == 0) return;
  if (errno != EOPNOTSUPP && errno != ENOSYS) throw system_error(file, what, errno);
}

void sync_file(const fs::path& file, const fs::path& named) {
  fail_if(fault_at("sync"), named, "sync it to disk");
  Descriptor fd(file, named, O_RDWR, "sync it to disk");
  if (fsync(fd.get()) != 0) throw system_error(named, "sync it to disk", errno);
  fd.close();
}

namespace {

void publish_as(const fs::path& temporary, const fs::path& file, mode_t mode) {
  fail_if(fault_at("rename"), file, "move it to its name");
  if (chmod(temporary.c_str(), mode) != 0) throw system_error(file, "set its permissions", errno);
  if (rename(temporary.c_str(), file.c_str()) != 0) throw system_error(file, "move it to its name", errno);
  const fs::path directory = directory_of(file);
  try {
    fail_if(fault_at("sync directory"), directory, "sync the directory");
    const Descriptor fd(directory, directory, O_RDONLY | O_DIRECTORY, "sync the directory");
    // Some network file systems cannot sync a directory and need not.
    if (fsync(fd.get()) != 0 && errno != EINVAL) throw system_error(directory, "sync the directory", errno);
  } catch (const Error&) {
    remove_quietly(file);  // it might be lost later: better not there now
    throw;
  }
}

}  // namespace

void publish(const fs::path& temporary, const fs::path& file) {
  publish_as(temporary, file, mode_in(directory_of(file)));
}

void publish_read_only(const fs::path& temporary, const fs::path& file) {
  publish_as(temporary, file, mode_in(directory_of(file)) & ~mode_t{0200});
}

void remove_quietly(const fs::path& file) noexcept {
  std::error_code ignored;
  fs::remove(file, ignored);
}

void create_empty(const fs::path& file, const fs::path& named) {
  fail_if(fault_at("create"), named, "create it");
  Descriptor(file, named, O_WRONLY | O_CREAT | O_TRUNC, "create it").close();
}

void write_piece(const fs::path& file, const fs::path& named, std::uint64_t offset, std::string_view bytes) {
  fail_if(fault_at("write"), named, "write it");
  Descriptor fd(file, named, O_WRONLY, "write it");
  while (!bytes.empty()) {
    const ssize_t n = pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error(named, "write it", errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  fd.close();
}

void write_durably(const fs::path& file, std::string_view content) {
  const fs::path temporary = temporary_beside(file);
  try {
    create_empty(temporary, file);
    write_piece(temporary, file, 0, content);
    sync_file(temporary, file);
    publish(temporary, file);
  } catch (const Error&) {
    remove_quietly(temporary);
    throw;
  }
}

}  // namespace kernmill::storage
