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
  if (error == 0 || error == ENOENT || error == ENOTDIR || error == EACCES) return {};
  std::string what = "nothing can be written";
  if (error == ENOSPC) what = has_no_inode(folder) ? "no inode is left" : "the file system is full";
  if (error == EDQUOT) what = "the quota is used up";
  return fmt::format("{}: {} at {}", std::strerror(error), what, folder.string());
}

}  // namespace kernmill
