#include "kernmill/cli/runs/follow.hpp"

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "kernmill/os/file_descriptor.hpp"

namespace fs = std::filesystem;

namespace kernmill::cli {
namespace {

FileDescriptor watch(const fs::path& first, const fs::path& second) {
  FileDescriptor queue(inotify_init1(IN_CLOEXEC));
  if (!queue) throw std::system_error(errno, std::generic_category(), "cannot watch files");
  constexpr std::uint32_t changes = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE;
  for (const fs::path& folder : {first, second})
    if (inotify_add_watch(queue.get(), folder.c_str(), changes) < 0)
      throw std::system_error(errno, std::generic_category(), "cannot watch " + folder.string());
  return queue;
}

/// What another machine writes to a network file system is no event here, nor is the death of a process: it
/// is looked anew after a while.
void wait_for_change(const FileDescriptor& queue) {
  constexpr int milliseconds = 1'000;
  pollfd entry{queue.get(), POLLIN, 0};
  if (::poll(&entry, 1, milliseconds) <= 0) return;
  std::array<char, 8192> events{};
  while (read(queue.get(), events.data(), events.size()) < 0)
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "cannot watch files");
}

}  // namespace

std::uintmax_t copy_from(const fs::path& file, std::uintmax_t offset, std::FILE* out) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream.seekg(static_cast<std::streamoff>(offset))) return offset;
  std::array<char, 65536> buffer{};
  while (stream.read(buffer.data(), buffer.size()), stream.gcount() > 0) {
    std::fwrite(buffer.data(), 1, static_cast<std::size_t>(stream.gcount()), out);
    offset += static_cast<std::uintmax_t>(stream.gcount());
  }
  std::fflush(out);
  return offset;
}

void follow(const fs::path& file, const fs::path& signals, const std::function<bool()>& over,
            std::FILE* out) {
  // Watched before the first look, so that no change falls between the two.
  const FileDescriptor queue = watch(file.parent_path(), signals);
  std::uintmax_t offset = 0;
  while (true) {
    const bool last = over();
    offset = copy_from(file, offset, out);
    if (last) return;
    wait_for_change(queue);
  }
}

}  // namespace kernmill::cli
