#include "kernmill/storage/transport/locks.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/storage/file/durable.hpp"

namespace kernmill::storage {

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
  ::close(fd);
  if (error != 0)
    throw Error(fmt::format(
        "{}: cannot lock it: {}. MPI-IO locks what it writes on NFS. Have lockd run there (or mount "
        "it as NFS 4), use another file system, or one node",
        named.string(), std::strerror(error)));
}

}  // namespace kernmill::storage
