// Preloaded: writing into files below KERNMILL_TEST_QUOTA fails as under a quota that is used up, as long as
// that folder holds a file `used-up`.
#include <cerrno>
#include <cstdlib>
#include <string>

#include <dlfcn.h>
#include <sys/types.h>
#include <unistd.h>

namespace {

bool is_used_up(int fd) {
  const char *const part = std::getenv("QUOTA_PART"), *const flag = std::getenv("QUOTA_FLAG");
  if (part == nullptr || flag == nullptr || ::access(flag, F_OK) != 0) return false;
  std::string path(4096, '\0');
  const ssize_t length =
      ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path.data(), path.size());
  path.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
  return path.find(part) != std::string::npos;
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

ssize_t refuse() {
  errno = EDQUOT;
  return -1;
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* data, size_t size) {
  static const auto real = next<ssize_t(int, const void*, size_t)>("write");
  return is_used_up(fd) ? refuse() : real(fd, data, size);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  static const auto real = next<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  return is_used_up(fd) ? refuse() : real(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  static const auto real = next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  return is_used_up(fd) ? refuse() : real(fd, data, size, at);
}

}  // extern "C"
