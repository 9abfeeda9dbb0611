#include "kernmill/os/room.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "kernmill/os/file_descriptor.hpp"

namespace kernmill {
namespace {

constexpr std::size_t wanted = std::size_t{64} << 10U;

/// 0, or what errno was.
int try_to_write(const std::filesystem::path& folder) {
  std::string name = (folder / ".kernmill-room-XXXXXX").string();
  const FileDescriptor file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file) return errno;
  ::unlink(name.c_str());
  const std::array<char, wanted> zeros{};
  for (std::size_t done = 0; done < wanted;) {
    const ssize_t some = ::write(file.get(), zeros.data() + done, wanted - done);
    if (some < 0 && errno != EINTR) return errno;
    if (some > 0) done += static_cast<std::size_t>(some);
  }
  return ::fsync(file.get()) == 0 ? 0 : errno;
}

bool has_no_inode(const std::filesystem::path& folder) {
  struct statvfs found {};
  return ::statvfs(folder.c_str(), &found) == 0 && found.f_files > 0 && found.f_favail == 0;
}

}  // namespace

std::string why_no_room(const std::filesystem::path& folder) {
  const int error = try_to_write(folder);
  switch (error) {
    case 0:
    case ENOENT:
    case ENOTDIR:
    case EACCES:
      return {};
    case ENOSPC:
      return has_no_inode(folder)
                 ? fmt::format(
                       "the file system of {} has no inode left for a new file: No space left on device",
                       folder.string())
                 : fmt::format("the file system of {} is full: No space left on device", folder.string());
    case EDQUOT:
      return fmt::format("the quota on the file system of {} is used up: {}", folder.string(),
                         std::strerror(error));
    default:
      return fmt::format("nothing can be written into {}: {}", folder.string(), std::strerror(error));
  }
}

}  // namespace kernmill
