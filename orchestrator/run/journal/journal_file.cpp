#include "kernmill/run/journal/journal_file.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/base/checksum.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t piece = std::size_t{1} << 20U;

[[noreturn]] void fail(const fs::path& path) {
  throw std::system_error(errno, std::generic_category(), "cannot read " + path.string());
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::optional<FileIdentity> file_identity(const fs::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return {};
    fail(path);
  }
  return FileIdentity{found.st_ino, static_cast<std::uint64_t>(found.st_size), nanoseconds(found.st_mtim),
                      nanoseconds(found.st_ctim)};
}

bool is_gathering(std::string_view name) {
  return name.ends_with(".conductor.jsonl");
}

std::optional<JournalFile> JournalFile::open(const fs::path& path, Missing missing) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT && missing == Missing::may_be) return {};
  if (!file) fail(path);
  return JournalFile(path, std::move(file));
}

bool JournalFile::append(std::string& text, std::uint64_t offset, std::size_t most) const {
  const std::size_t before = text.size();
  text.resize(before + most);
  ssize_t got = 0;
  while ((got = ::pread(file_.get(), text.data() + before, most, static_cast<off_t>(offset))) < 0 &&
         errno == EINTR) {
  }
  if (got < 0) fail(path_);
  text.resize(before + static_cast<std::size_t>(got));
  return got > 0;
}

bool JournalFile::begins_with(std::uint64_t bytes, std::uint32_t crc) {
  std::uint32_t sum = 0;
  std::string text;
  for (std::uint64_t at = 0; at < bytes; at += text.size()) {
    text.clear();
    if (!append(text, at, static_cast<std::size_t>(std::min<std::uint64_t>(piece, bytes - at)))) return false;
    sum = crc32_of(text, sum);
  }
  return sum == crc;
}

void JournalFile::read_lines(ReadMark& mark, bool with_crc, const std::function<void()>& first,
                             const std::function<void(const JournalLine&)>& take) {
  std::string text;
  bool is_first = true;
  while (append(text, mark.bytes + text.size(), piece)) {
    const std::size_t end = text.rfind('\n') + 1;
    if (end == 0) continue;  // a line longer than a piece, or one that is being written
    std::string rest = text.substr(end);
    text.resize(end);
    if (with_crc) mark.crc = crc32_of(text, mark.crc);
    if (std::exchange(is_first, false)) first();
    mark.lines = for_each_line(std::move(text), path_, take, mark.lines);
    mark.bytes += end;
    text = std::move(rest);
  }
}

std::optional<JournalFile> open_journal_file(const fs::path& path) {
  using Missing = JournalFile::Missing;
  const bool stays = is_gathering(path.filename().string());
  return JournalFile::open(path, stays ? Missing::fails : Missing::may_be);
}

}  // namespace kernmill
