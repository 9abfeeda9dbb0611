#include "kernmill/os/file_beside.hpp"

#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kernmill {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view ending = ".tmp";
constexpr std::size_t digits = 16;

std::string random_name(const fs::path& path) {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number)
    throw std::system_error(errno, std::generic_category(), "cannot get a random number");
  constexpr std::size_t longest = 200;  // of the 255 that a name may have
  return fmt::format(".{}.{:016x}{}", path.filename().string().substr(0, longest), number, ending);
}

bool is_such_a_name(std::string_view name) {
  if (!name.starts_with('.') || !name.ends_with(ending)) return false;
  name.remove_suffix(ending.size());
  return name.size() > digits + 1 && name[name.size() - digits - 1] == '.' &&
         name.find_first_not_of("0123456789abcdef", name.size() - digits) == std::string_view::npos;
}

}  // namespace

FileBeside::FileBeside(fs::path path, mode_t mode)
    : path_(std::move(path)),
      beside_(path_.parent_path() / random_name(path_)),
      file_(::open(beside_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0700)) {
  if (!file_) fail("cannot write");
  if (::fchmod(file_.get(), mode) == 0) return;
  const int why = errno;
  ::unlink(beside_.c_str());
  errno = why;
  fail("cannot set the permissions of");
}

FileBeside::~FileBeside() {
  if (!beside_.empty()) ::unlink(beside_.c_str());
}

void FileBeside::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file_.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot write");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void FileBeside::sync() {
  if (::fsync(file_.get()) != 0) fail("cannot write");
}

void FileBeside::take_place() {
  if (::rename(beside_.c_str(), path_.c_str()) != 0) fail("cannot write");
  beside_.clear();
}

void FileBeside::fail(const char* what) const {
  throw std::system_error(errno, std::generic_category(), fmt::format("{} {}", what, path_.string()));
}

void remove_files_left_beside(const fs::path& folder, std::chrono::hours age) {
  std::error_code none;
  const auto before = fs::file_time_type::clock::now() - age;
  for (fs::recursive_directory_iterator entry(folder, none), end; !none && entry != end;
       entry.increment(none)) {
    std::error_code gone;
    if (is_such_a_name(entry->path().filename().string()) && entry->last_write_time(gone) < before && !gone)
      fs::remove(entry->path(), gone);
  }
}

}  // namespace kernmill
