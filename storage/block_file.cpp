#include "kernmill/storage/block_file.hpp"

#include <bit>
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/storage/durable.hpp"

namespace kernmill::storage {

static_assert(std::endian::native == std::endian::little, "the files are little-endian");

BlockFile::BlockFile(const std::filesystem::path& file, std::filesystem::path named, Mode mode)
    : named_(std::move(named)),
      fd_(open(file.c_str(), (mode == Mode::read ? O_RDONLY : O_RDWR) | O_CLOEXEC)) {
  if (fd_ < 0) throw system_error(named_, "open it", errno);
}

BlockFile::~BlockFile() {
  ::close(fd_);
}

void BlockFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t n = pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error(named_, "read it", errno);
    if (n == 0) throw Error(fmt::format("{}: ends early", named_.string()));
    out = out.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

void BlockFile::write(std::uint64_t offset, std::span<const std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error(named_, "write it", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

void BlockFile::sync() const {
  const int fault = fault_at("sync");
  if (fault != 0) throw system_error(named_, "sync it to disk", fault);
  if (fsync(fd_) != 0) throw system_error(named_, "sync it to disk", errno);
}

std::uint64_t BlockFile::size() const {
  struct stat status {};
  if (fstat(fd_, &status) != 0) throw system_error(named_, "look at it", errno);
  return static_cast<std::uint64_t>(status.st_size);
}

bool BlockFile::is(const std::filesystem::path& file) const {
  struct stat mine {};
  struct stat its {};
  return fstat(fd_, &mine) == 0 && stat(file.c_str(), &its) == 0 && mine.st_dev == its.st_dev &&
         mine.st_ino == its.st_ino;
}

}  // namespace kernmill::storage
