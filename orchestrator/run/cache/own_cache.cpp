#include "kernmill/run/cache/own_cache.hpp"

#include <cerrno>
#include <chrono>
#include <system_error>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/file_beside.hpp"
#include "kernmill/run/directory/trust.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;

enum class Whose { nobodys, own, others };

Whose whose(const fs::path& directory) {
  struct stat status {};
  if (::lstat(directory.c_str(), &status) != 0) return Whose::nobodys;
  const bool own = S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() &&
                   why_not_believed(status, ::geteuid()).empty();
  return own ? Whose::own : Whose::others;
}

}  // namespace

fs::path own_cache_directory(const fs::path& runs_root) {
  fs::path first = fs::absolute(runs_root) / ".cache";
  if (whose(first) != Whose::others) return first;
  fs::path second = fs::absolute(runs_root) / fmt::format(".cache-{}", ::geteuid());
  return whose(second) != Whose::others ? second : fs::path();
}

void make_own_cache_directory(const fs::path& directory) {
  if (directory.empty())
    throw std::system_error(
        EPERM, std::generic_category(),
        "others may write both .cache and the folder of that name with your number; there "
        "is no cache here until one of them is yours alone (chmod go-w)");
  make_directories(directory.parent_path());
  make_directory(directory, 0700);
  if (whose(directory) != Whose::own)
    throw std::system_error(EPERM, std::generic_category(),
                            "another user was quicker to make " + directory.string());
  struct stat status {};
  constexpr mode_t of_others = 077;
  if (::lstat(directory.c_str(), &status) == 0 && (status.st_mode & of_others) != 0)
    fs::permissions(directory, fs::perms::owner_all, fs::perm_options::replace | fs::perm_options::nofollow);
}

void tidy_own_cache(const fs::path& runs_root) {
  if (const fs::path directory = own_cache_directory(runs_root); whose(directory) == Whose::own)
    remove_files_left_beside(directory, std::chrono::hours(24));
}

}  // namespace kernmill
