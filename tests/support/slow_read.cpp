// Preloaded: a dataset is read at 32 microseconds a byte, as from a file system that is not up to it.
#include <cstring>
#include <string>

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

namespace {

bool is_dataset(int fd) {
  char name[PATH_MAX];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t n = readlink(link.c_str(), name, sizeof name);
  return n > 0 && std::string_view(name, static_cast<std::size_t>(n)).ends_with("dataset.h5");
}

}  // namespace

extern "C" ssize_t pread(int fd, void* out, std::size_t count, off_t offset) {
  using Read = ssize_t (*)(int, void*, std::size_t, off_t);
  static const auto real = reinterpret_cast<Read>(dlsym(RTLD_NEXT, "pread"));
  if (is_dataset(fd)) {
    const auto microseconds = static_cast<long>(32 * count);
    const timespec time{microseconds / 1'000'000, microseconds % 1'000'000 * 1000};
    nanosleep(&time, nullptr);
  }
  return real(fd, out, count, offset);
}
