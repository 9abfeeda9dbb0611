#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/base/file_pattern.hpp"
#include "kernmill/workflow/parse/parser.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;

std::string problem_as_key(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::strerror(errno);
  if (!S_ISREG(status.st_mode)) return "it is not a regular file";
  if (status.st_uid != ::geteuid()) return "it belongs to another user";
  if ((status.st_mode & 077) != 0)
    return fmt::format("others may use it (its mode is {:04o})", status.st_mode & 07777);
  return "";
}

std::string what_is_no_file(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) return "";
  return S_ISFIFO(status.st_mode) ? "a named pipe" : S_ISSOCK(status.st_mode) ? "a socket" : "a device";
}

/// Never waits, and never has more of a file than is asked for.
std::optional<std::string> read_part(const fs::path& path, std::uint64_t offset, std::uint64_t count) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  struct stat status {};
  bool whole = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  std::string bytes(whole ? count : 0, '\0');
  std::size_t have = 0;
  while (whole && have < count) {
    const ssize_t got = ::pread(fd, bytes.data() + have, count - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    whole = got >= 0;
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  ::close(fd);
  if (!whole) return std::nullopt;
  bytes.resize(have);
  return bytes;
}

/// The text as a pattern that matches it alone.
std::string escaped_for_glob(const std::string& text) {
  std::string pattern;
  for (const char c : text) {
    if (std::string_view("*?[]\\").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

std::vector<std::string> files_matching(const fs::path& folder, const std::string& pattern) {
  const bool absolute = pattern.starts_with('/');
  const std::string base = absolute ? "" : folder.string() + "/";
  glob_t found{};
  std::vector<std::string> names;
  if (::glob((escaped_for_glob(base) + pattern).c_str(), GLOB_NOSORT, nullptr, &found) == 0)
    for (std::size_t i = 0; i < found.gl_pathc; ++i) names.emplace_back(found.gl_pathv[i] + base.size());
  ::globfree(&found);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

Files real_files() {
  return {[](const fs::path& path) {
            std::error_code ignored;  // a path that cannot be looked at is one that cannot be read
            return fs::exists(path, ignored);
          },
          read_part,
          problem_as_key,
          what_is_no_file,
          [](const fs::path& pattern) { return !files_of_pattern(pattern).empty(); },
          [](const std::string& name) -> std::optional<std::string> {
            const char* value = std::getenv(name.c_str());
            return value == nullptr ? std::nullopt : std::optional<std::string>(value);
          },
          files_matching};
}

}  // namespace kernmill
