#include "kernmill/storage/file/durable.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/storage/file/new_file.hpp"

namespace kernmill::storage {
namespace fs = std::filesystem;
namespace {

Fault& fault() {
  static Fault current;
  return current;
}

/// A file descriptor that closes itself, of no link; `close` tells what the destructor would swallow.
class Descriptor {
 public:
  Descriptor(const fs::path& file, const fs::path& named, int flags, std::string_view what)
      : named_(named), fd_(open(file.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600)) {
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

/// There is no way to ask for it alone. (One rank publishes, on one thread: nothing is created meanwhile.)
mode_t current_umask() {
  const mode_t mask = umask(077);
  umask(mask);
  return mask;
}

constexpr std::string_view ending = ".partial";
constexpr std::size_t random_digits = 16;

/// The name that a temporary file would have got; empty: it is none.
fs::path name_behind(const fs::path& temporary) {
  std::string name = temporary.filename().string();
  if (name.size() < ending.size() + 2 || name.front() != '.' || !name.ends_with(ending)) return {};
  name = name.substr(1, name.size() - 1 - ending.size());
  const std::size_t dot = name.rfind('.');
  const bool has_digits = dot != std::string::npos && name.size() - dot - 1 == random_digits &&
                          name.find_first_not_of("0123456789abcdef", dot + 1) == std::string::npos;
  return has_digits ? name.substr(0, dot) : name;
}

bool is_own_file(const fs::path& file) {
  struct stat status {};
  return lstat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid();
}

std::string_view way_out(int error) {
  switch (error) {
    case ELOOP:
      return ". A link is in its place: who has put it there?";
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
  std::uint64_t number = 0;
  if (getrandom(&number, sizeof number, 0) != sizeof number)
    throw system_error(file, "draw a random name beside it", errno);
  return file.parent_path() /
         fmt::format(".{}.{:0{}x}{}", file.filename().string(), number, random_digits, ending);
}

void remove_leftovers(const fs::path& directory, const std::function<bool(const fs::path&)>& all_of) {
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    const fs::path name = name_behind(at->path());
    if (!name.empty() && all_of(name) && is_own_file(at->path())) remove_quietly(at->path());
  }
}

void remove_leftovers(const fs::path& file) {
  remove_leftovers(directory_of(file), [&](const fs::path& name) { return name == file.filename(); });
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

/// Lets the directory reach the disk, with what was renamed in it.
void sync_directory(const fs::path& directory) {
  fail_if(fault_at("sync directory"), directory, "sync the directory");
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);  // a link to one, too
  if (fd < 0) throw system_error(directory, "sync the directory", errno);
  const int error = fsync(fd) != 0 ? errno : 0;
  ::close(fd);
  // Some network file systems cannot sync a directory and need not.
  fail_if(error == EINVAL ? 0 : error, directory, "sync the directory");
}

void publish_as(const fs::path& temporary, const fs::path& file, mode_t mode) {
  fail_if(fault_at("rename"), file, "move it to its name");
  struct stat there {};
  const bool replaces = lstat(file.c_str(), &there) == 0;
  {
    const Descriptor fd(temporary, file, O_RDONLY, "set its permissions");
    if (fchmod(fd.get(), mode) != 0) throw system_error(file, "set its permissions", errno);
  }
  if (rename(temporary.c_str(), file.c_str()) != 0) throw system_error(file, "move it to its name", errno);
  try {
    sync_directory(directory_of(file));
  } catch (const Error&) {
    if (!replaces) remove_quietly(file);  // it might be lost later: better not there now
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

void publish_by_umask(const fs::path& temporary, const fs::path& file) {
  publish_as(temporary, file, mode_in(directory_of(file)) & ~(current_umask() & 077));
}

void remove_quietly(const fs::path& file) noexcept {
  std::error_code ignored;
  fs::remove(file, ignored);
}

void create_empty(const fs::path& file, const fs::path& named) {
  fail_if(fault_at("create"), named, "create it");
  remove_leftovers(named);
  Descriptor(file, named, O_WRONLY | O_CREAT | O_EXCL, "create it").close();
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
  NewFile made(file);
  made.write(content);
  made.sync();
  made.publish();
}

}  // namespace kernmill::storage
