#include "kernmill/os/durable_file.hpp"

#include <cerrno>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/os/file_mode.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_on_file(const std::string& what, const fs::path& path) {
  throw std::system_error(errno, std::generic_category(), what + " " + path.string());
}

mode_t mode_of_files_in(const fs::path& directory) {
  const auto mode = kernmill::mode_of_files_in(directory.c_str());
  if (!mode) fail_on_file("cannot look at the directory", directory);
  return *mode;
}

void write_all(int fd, std::string_view text, const fs::path& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_on_file("cannot write", path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void make_directories(const fs::path& path) {
  if (fs::is_directory(path)) return;
  const fs::path parent = path.parent_path();
  make_directories(parent);
  const mode_t mode = mode_of_files_in(parent) == 0640 ? 0750 : 0700;
  if (::mkdir(path.c_str(), mode) != 0) {
    if (errno == EEXIST && fs::is_directory(path)) return;  // another process was quicker
    fail_on_file("cannot make the directory", path);
  }
  if (::chmod(path.c_str(), mode) != 0) fail_on_file("cannot set the permissions of", path);
  sync_directory(parent);
}

void sync_directory(const fs::path& path) {
  const FileDescriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // EINVAL: the file system has nothing to sync for a directory.
  if (!directory || (::fsync(directory.get()) != 0 && errno != EINVAL))
    fail_on_file("cannot sync the directory", path);
}

void write_file_durably(const fs::path& path, const std::string& content) {
  const fs::path directory = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const fs::path beside = directory / fmt::format(".{}.{}.tmp", path.filename().string(), ::getpid());
  const mode_t mode = mode_of_files_in(directory);
  try {
    const FileDescriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
    if (!file) fail_on_file("cannot write", path);
    if (::fchmod(file.get(), mode) != 0) fail_on_file("cannot set the permissions of", path);
    write_all(file.get(), content, path);
    if (::fsync(file.get()) != 0) fail_on_file("cannot write", path);
    if (::rename(beside.c_str(), path.c_str()) != 0) fail_on_file("cannot write", path);
  } catch (...) {
    ::unlink(beside.c_str());
    throw;
  }
  sync_directory(directory);
}

std::string read_file(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) fail_on_file("cannot read", path);
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_on_file("cannot read", path);
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

}  // namespace kernmill
