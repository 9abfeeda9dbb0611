#include "kernmill/storage/file/raw_file.hpp"

#include <bit>
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/storage/file/commit.hpp"

namespace kernmill::storage {

static_assert(std::endian::native == std::endian::little,
              "tables are read and written in place: the file is little-endian");

// What is no file, such as a pipe, is not waited for; what is written is never written through a link.
RawFile::RawFile(const std::filesystem::path& file, const std::filesystem::path& named, Access access)
    : named_(named),
      fd_(open(file.c_str(),
               (access == Access::read ? O_RDONLY | O_NONBLOCK : O_RDWR | O_NOFOLLOW) | O_CLOEXEC)) {
  if (fd_ < 0) throw system_error(named_, "open it", errno);
  struct stat status {};
  if (fstat(fd_, &status) == 0 && S_ISREG(status.st_mode)) return;
  ::close(fd_);
  throw Error(fmt::format("{}: is not a regular file", named_.string()));
}

RawFile::~RawFile() {
  ::close(fd_);
}

void RawFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t n = pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error(named_, "read it", errno);
    if (n == 0) throw Error(fmt::format("{}: ends early", named_.string()));
    out = out.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

void RawFile::write(std::uint64_t offset, std::span<const std::byte> bytes) const {
  fail_at("write", named_);
  while (!bytes.empty()) {
    const ssize_t n = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error(named_, "write it", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

void RawFile::start_sync(std::uint64_t offset, std::uint64_t bytes) const noexcept {
  (void)sync_file_range(fd_, static_cast<off_t>(offset), static_cast<off_t>(bytes), SYNC_FILE_RANGE_WRITE);
}

void RawFile::sync() const {
  fail_at("sync", named_);
  if (fsync(fd_) != 0) throw system_error(named_, "sync it to disk", errno);
}

std::uint64_t RawFile::size() const {
  struct stat status {};
  if (fstat(fd_, &status) != 0) throw system_error(named_, "look at it", errno);
  return static_cast<std::uint64_t>(status.st_size);
}

bool RawFile::is(const std::filesystem::path& file) const {
  struct stat mine {};
  struct stat its {};
  return fstat(fd_, &mine) == 0 && stat(file.c_str(), &its) == 0 && mine.st_dev == its.st_dev &&
         mine.st_ino == its.st_ino;
}

}  // namespace kernmill::storage
