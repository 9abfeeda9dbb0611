#include "kernmill/storage/transport/locks.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "kernmill/storage/file/durable.hpp"

namespace kernmill::storage {

namespace {

std::string mounts() {
  std::ifstream in("/proc/self/mountinfo");
  return {std::istreambuf_iterator<char>(in), {}};
}

[[noreturn]] void refuse(const std::filesystem::path& named, const char* why) {
  throw Error(fmt::format(
      "{}: cannot lock it: {}. MPI-IO locks what it writes on NFS. Mount it as NFS 4, or with lockd "
      "and without nolock; use another file system, or one node",
      named.string(), why));
}

}  // namespace

bool locks_stay_here(std::string_view mountinfo, unsigned major, unsigned minor) {
  const std::string device = fmt::format(" {}:{} ", major, minor);
  while (!mountinfo.empty()) {
    const std::string_view line = mountinfo.substr(0, mountinfo.find('\n'));
    mountinfo.remove_prefix(std::min(mountinfo.size(), line.size() + 1));
    if (line.find(device) == std::string_view::npos) continue;
    const std::string options = fmt::format(",{},", line.substr(line.rfind(' ') + 1));
    for (const char* local : {",nolock,", ",local_lock=all,", ",local_lock=posix,"})
      if (options.find(local) != std::string::npos) return true;
  }
  return false;
}

void require_locks(const std::filesystem::path& file, const std::filesystem::path& named, Purpose purpose) {
  const bool writes = purpose == Purpose::writing;
  const int fd = open(file.c_str(), (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) throw system_error(named, "open it", errno);
  struct flock lock {};
  lock.l_type = writes ? F_WRLCK : F_RDLCK;
  lock.l_whence = SEEK_SET;
  lock.l_len = 1;
  int error = fault_at("lock");
  while (error == 0 && fcntl(fd, F_SETLKW, &lock) != 0)
    if (errno != EINTR) error = errno;
  struct stat status {};
  const bool known = fstat(fd, &status) == 0;
  ::close(fd);
  if (error != 0) refuse(named, std::strerror(error));
  if (writes && known && locks_stay_here(mounts(), major(status.st_dev), minor(status.st_dev)))
    refuse(named, "it is mounted so that locks stay on this node");
}

}  // namespace kernmill::storage
