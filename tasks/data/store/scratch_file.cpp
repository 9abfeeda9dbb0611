#include "kernmill/tasks/data/store/scratch_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void scratch_failed(const fs::path& directory, const char* what, int error) {
  throw TaskError(
      fmt::format("cannot {} a scratch file in {}: {}", what, directory.string(), std::strerror(error)), {},
      "free space there, or raise `buffer` of a preprocess stage");
}

int open_unnamed(const fs::path& directory) {
  std::string pattern = (directory / ".scratch-XXXXXX").string();
  const int fd = mkostemp(pattern.data(), O_CLOEXEC);
  if (fd < 0) scratch_failed(directory, "make", errno);
  unlink(pattern.c_str());
  return fd;
}

}  // namespace

ScratchFile::ScratchFile(const Scratch& scratch)
    : directory_(scratch.directory),
      cipher_(scratch.key ? std::make_optional<storage::ScratchCipher>(*scratch.key) : std::nullopt),
      fd_(open_unnamed(scratch.directory)) {}

ScratchFile::~ScratchFile() {
  close(fd_);
}

void ScratchFile::write_plain(std::uint64_t offset, std::span<const std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) scratch_failed(directory_, "write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

void ScratchFile::write(std::uint64_t offset, std::span<const std::byte> bytes, std::uint32_t generation) {
  if (!cipher_) return write_plain(offset, bytes);
  constexpr std::size_t most = std::size_t{256} << 10;
  std::vector<std::byte> sealed(std::min(most, bytes.size()));
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(most, bytes.size()));
    sealed.assign(piece.begin(), piece.end());
    cipher_->apply(generation, offset, sealed);
    write_plain(offset, sealed);
    bytes = bytes.subspan(piece.size());
    offset += piece.size();
  }
}

void ScratchFile::read(std::uint64_t offset, std::span<std::byte> bytes, std::uint32_t generation) const {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = pread(fd_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) scratch_failed(directory_, "read", n < 0 ? errno : EIO);
    done += static_cast<std::size_t>(n);
  }
  if (cipher_) cipher_->apply(generation, offset, bytes);
}

}  // namespace kernmill::tasks
