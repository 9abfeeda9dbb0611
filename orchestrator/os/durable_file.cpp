#include "kernmill/os/durable_file.hpp"

#include <cerrno>
#include <optional>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/os/file_beside.hpp"
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

void make_missing_directories(const fs::path& path, std::optional<mode_t> given) {
  if (fs::is_directory(path)) return;
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  make_missing_directories(parent, given);
  const mode_t mode = given.value_or(mode_of_files_in(parent) == 0640 ? 0750 : 0700);
  if (make_directory(path, mode)) sync_directory(parent);
}

}  // namespace

void make_directories(const fs::path& path) {
  make_missing_directories(path, {});
}

void make_directories(const fs::path& path, mode_t mode) {
  make_missing_directories(path, mode);
}

bool make_directory(const fs::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0) {
    if (errno == EEXIST && fs::is_directory(path)) return false;
    fail_on_file("cannot make the directory", path);
  }
  const FileDescriptor made(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat is {};
  if (!made || ::fstat(made.get(), &is) != 0) fail_on_file("cannot look at the directory", path);
  // What needs no change gets none: to set permissions takes setgid from who is not in the group.
  const mode_t wanted = mode | (is.st_mode & S_ISGID);
  if ((is.st_mode & 07777) != wanted && ::fchmod(made.get(), wanted) != 0)
    fail_on_file("cannot set the permissions of", path);
  return true;
}

void sync_directory(const fs::path& path) {
  const FileDescriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // EINVAL: the file system has nothing to sync for a directory.
  if (!directory || (::fsync(directory.get()) != 0 && errno != EINVAL))
    fail_on_file("cannot sync the directory", path);
}

void write_file_durably(const fs::path& path, const std::string& content) {
  const fs::path directory = path.has_parent_path() ? path.parent_path() : fs::path(".");
  FileBeside file(path, mode_of_files_in(directory));
  file.write(content);
  file.sync();
  file.take_place();
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
