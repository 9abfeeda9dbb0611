#include "kernmill/slurm/spank/journal_file.hpp"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "temporary_directory.hpp"

namespace kernmill::spank {
namespace {

namespace fs = std::filesystem;
using kernmill::testing::TemporaryDirectory;

std::string content(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(SpankJournalFile, LinesAreAppendedAsTheirOwner) {
  const TemporaryDirectory directory;
  const bool is_root = ::geteuid() == 0;
  const Owner owner{is_root ? 65534 : ::geteuid(), is_root ? 65534 : ::getegid(), {}};
  const fs::path file = directory.path() / "a.jsonl";
  if (is_root) {
    EXPECT_EQ(append_as(owner, file, "never\n"), EACCES) << "root wrote where its owner may not";
    ASSERT_EQ(::chown(directory.path().c_str(), owner.user, owner.group), 0);
  }
  EXPECT_EQ(append_as(owner, file, "one\n"), 0);
  EXPECT_EQ(append_as(owner, file, "two\n"), 0);
  EXPECT_EQ(content(file), "one\ntwo\n");
  EXPECT_EQ(append_as(owner, directory.path() / "nowhere" / "a", "x\n"), ENOENT);
}

TEST(SpankJournalFile, ALinkIsNotFollowed) {
  const TemporaryDirectory directory;
  fs::create_symlink(directory.path() / "elsewhere", directory.path() / "link");
  EXPECT_EQ(append_as({::getuid(), ::getgid(), {}}, directory.path() / "link", "x\n"), ELOOP);
  EXPECT_FALSE(fs::exists(directory.path() / "elsewhere"));
}

TEST(SpankJournalFile, HalfALineIsTakenBack) {
  const TemporaryDirectory directory;
  const fs::path file = directory.path() / "a.jsonl";
  const Owner owner{::getuid(), ::getgid(), {}};
  ASSERT_EQ(append_as(owner, file, "one\n"), 0);
  const pid_t child = ::fork();
  if (child == 0) {  // a file may have 6 bytes: two of the four that are written fit
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit six{6, 6};
    ::setrlimit(RLIMIT_FSIZE, &six);
    ::_exit(append_as(owner, file, "two\n") == 0 ? 1 : 0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "half a line passed for a whole one";
  EXPECT_EQ(content(file), "one\n");
}

}  // namespace
}  // namespace kernmill::spank
