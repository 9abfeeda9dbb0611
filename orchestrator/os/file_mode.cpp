#include "kernmill/os/file_mode.hpp"

#include <cerrno>
#include <climits>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>

namespace kernmill {

std::optional<mode_t> mode_of_files_in(const char* directory) noexcept {
  struct stat info {};
  if (::stat(directory, &info) != 0) return std::nullopt;
  return (info.st_mode & S_IRGRP) != 0 ? 0640 : 0600;
}

int open_log(const char* file) noexcept {
  const char* const slash = std::strrchr(file, '/');
  const auto length = slash == nullptr ? std::size_t{0} : static_cast<std::size_t>(slash - file);
  char directory[PATH_MAX] = ".";
  if (length > 0 && length < sizeof directory) {
    std::memcpy(directory, file, length);
    directory[length] = '\0';
  }
  constexpr int to_append = O_WRONLY | O_APPEND | O_CLOEXEC;
  const mode_t mode = mode_of_files_in(directory).value_or(0600);
  const int made = ::open(file, to_append | O_CREAT | O_EXCL, mode);
  if (made >= 0) ::fchmod(made, mode);  // whatever the umask: a log that stays closed is one all the same
  return made >= 0 || errno != EEXIST ? made : ::open(file, to_append);
}

}  // namespace kernmill
