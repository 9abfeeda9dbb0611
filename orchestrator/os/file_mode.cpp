#include "kernmill/os/file_mode.hpp"

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
  return ::open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode_of_files_in(directory).value_or(0600));
}

}  // namespace kernmill
