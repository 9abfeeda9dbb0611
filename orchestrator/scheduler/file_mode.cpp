#include "kernmill/scheduler/log_file.hpp"

#include <climits>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>

namespace kernmill {
namespace {

bool is_shared(const char* file) noexcept {
  const char* const slash = std::strrchr(file, '/');
  const auto length = slash == nullptr ? std::size_t{0} : static_cast<std::size_t>(slash - file);
  char directory[PATH_MAX] = ".";
  if (length > 0 && length < sizeof directory) {
    std::memcpy(directory, file, length);
    directory[length] = '\0';
  }
  struct stat status {};
  return ::stat(directory, &status) == 0 && (status.st_mode & S_IRGRP) != 0;
}

}  // namespace

int open_log(const char* file) noexcept {
  return ::open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, is_shared(file) ? 0640 : 0600);
}

}  // namespace kernmill
