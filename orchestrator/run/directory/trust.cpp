#include "kernmill/run/directory/trust.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include "kernmill/base/shell_word.hpp"
#include "kernmill/os/file_descriptor.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;

struct stat status_of(const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot look at " + path.string());
  return status;
}

std::optional<passwd> entry_of(uid_t user, std::vector<char>& buffer) {
  passwd entry{};
  passwd* found = nullptr;
  buffer.resize(std::size_t{1} << 14);
  if (::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return {};
  return entry;
}

/// A name to be typed: the number where there is none.
std::string user_word(uid_t user) {
  std::vector<char> buffer;
  const auto entry = entry_of(user, buffer);
  return entry ? entry->pw_name : std::to_string(user);
}

[[noreturn]] void refuse(const RunDirectory& run, const std::string& what, uid_t owner) {
  const bool foreign = owner != ::geteuid();
  throw NotBelieved(
      fmt::format("run {} is not believed: {}; what it says would be done in your name", run.name(), what),
      fmt::format(
          "{}; if you trust what {} has put there, say so: --owned-by {}",
          foreign ? fmt::format("ask {} to go on with it", user_text(owner))
                  : fmt::format("look through it, and chmod -R go-w {}", word_for_shell(run.root().string())),
          foreign ? "that user" : "everybody who could write there", user_word(owner)));
}

/// Where anybody may rename and remove what others have, nothing below is anybody's.
std::string why_root_not_believed(const fs::path& root) {
  const struct stat status = status_of(root);
  if ((status.st_mode & S_IWOTH) == 0 || (status.st_mode & S_ISVTX) != 0) return {};
  return fmt::format(
      "everybody may exchange what lies in {} (its mode is {:04o}; chmod +t keeps runs to "
      "their owners)",
      root.string(), status.st_mode & 07777);
}

class RunCheck {
 public:
  RunCheck(const RunDirectory& run, uid_t owner) : run_(run), owner_(owner) {}

  void check(TrustDepth depth) {
    if (const std::string why = why_root_not_believed(run_.root().parent_path()); !why.empty())
      refuse(run_, why, owner_);
    const FileDescriptor folder(open_folder(AT_FDCWD, run_.root().c_str(), run_.root()));
    for (const char* name : {"stages", "settled", "slurm", "plan.json", "workflow.yaml", "conductor.lock"})
      check_entry(folder.get(), name, run_.root() / name);
    check_later_plans(folder.get());
    const FileDescriptor journal(open_folder(folder.get(), "journal", run_.journal()));
    if (depth == TrustDepth::whole && journal) check_files(journal.get());
  }

 private:
  FileDescriptor open_folder(int at, const char* name, const fs::path& path) {
    FileDescriptor folder(::openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder && errno == ENOENT) return folder;
    struct stat status {};
    if (folder && ::fstat(folder.get(), &status) == 0)
      check_status(status, path);
    else
      refuse(run_,
             fmt::format("{} cannot be opened as a folder ({})", path.string(),
                         std::generic_category().message(errno)),
             owner_);
    return folder;
  }

  void check_entry(int at, const char* name, const fs::path& path) {
    struct stat status {};
    if (::fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return;  // not there: nothing to believe
    check_status(status, path);
  }

  void check_later_plans(int folder) {
    struct stat status {};
    for (unsigned number = 2;; ++number) {
      const fs::path plan = run_.later_plan(number);
      if (::fstatat(folder, plan.filename().c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return;
      check_status(status, plan);
    }
  }

  void check_status(const struct stat& status, const fs::path& path) {
    if (const std::string why = why_not_believed(status, owner_); !why.empty())
      refuse(run_, path == run_.root() ? why : fmt::format("{}: {}", path.string(), why), owner_);
  }

  void check_files(int folder) {
    DIR* const entries = ::fdopendir(::fcntl(folder, F_DUPFD_CLOEXEC, 0));
    if (entries == nullptr) return;  // who reads it says what is wrong
    try {
      while (const dirent* entry = ::readdir(entries))
        if (std::string_view(entry->d_name) != "." && std::string_view(entry->d_name) != "..")
          check_entry(folder, entry->d_name, run_.journal() / entry->d_name);
    } catch (...) {
      ::closedir(entries);
      throw;
    }
    ::closedir(entries);
  }

  const RunDirectory& run_;
  uid_t owner_;
};

}  // namespace

std::string user_text(uid_t user) {
  std::vector<char> buffer;
  const auto entry = entry_of(user, buffer);
  return entry ? fmt::format("{} (user {})", entry->pw_name, user) : fmt::format("user {}", user);
}

std::optional<uid_t> user_called(const std::string& name) {
  if (name.empty()) return {};  // nobody; a directory service would be asked
  uid_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error == std::errc{} && end == name.data() + name.size()) return number;
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(std::size_t{1} << 14);
  if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return {};
  return entry.pw_uid;
}

std::string why_not_believed(const struct stat& status, uid_t owner) {
  if (S_ISLNK(status.st_mode)) return "it is a symbolic link";
  if (status.st_uid != owner && status.st_uid != 0)
    return fmt::format("it belongs to {}", user_text(status.st_uid));
  if ((status.st_mode & S_IWOTH) != 0)
    return fmt::format("everybody may write it (its mode is {:04o})", status.st_mode & 07777);
  if ((status.st_mode & S_IWGRP) != 0)
    return fmt::format("its group may write it (its mode is {:04o})", status.st_mode & 07777);
  return {};
}

uid_t owner_of(const RunDirectory& run) {
  return status_of(run.root()).st_uid;
}

void check_believed(const RunDirectory& run, TrustDepth depth, std::optional<uid_t> vouched_for) {
  const uid_t owner = owner_of(run);
  if (vouched_for && *vouched_for == owner) return;
  if (owner != ::geteuid()) refuse(run, fmt::format("it belongs to {}", user_text(owner)), owner);
  RunCheck(run, owner).check(depth);
}

std::optional<std::string> read_own_file(const fs::path& file) {
  const FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!opened || ::fstat(opened.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  if (status.st_uid != ::geteuid() || !why_not_believed(status, ::geteuid()).empty()) return {};
  std::string text;
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t got = ::read(opened.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return {};
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace kernmill
