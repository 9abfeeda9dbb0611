#include "kernmill/slurm/spank/journal_file.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/fanotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
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
    EXPECT_EQ(StepJournal(owner).append(file, "never\n"), EACCES) << "root wrote where its owner may not";
    ASSERT_EQ(::chown(directory.path().c_str(), owner.user, owner.group), 0);
  }
  EXPECT_EQ(StepJournal(owner).append(file, "one\n"), 0);
  EXPECT_EQ(StepJournal(owner).append(file, "two\n"), 0);
  EXPECT_EQ(content(file), "one\ntwo\n");
  EXPECT_EQ(StepJournal(owner).append(directory.path() / "nowhere" / "a", "x\n"), ENOENT);
}

TEST(SpankJournalFile, ALinkIsNotFollowed) {
  const TemporaryDirectory directory;
  fs::create_symlink(directory.path() / "elsewhere", directory.path() / "link");
  EXPECT_EQ(StepJournal({::getuid(), ::getgid(), {}}).append(directory.path() / "link", "x\n"), ELOOP);
  EXPECT_FALSE(fs::exists(directory.path() / "elsewhere"));
}

TEST(SpankJournalFile, HalfALineIsTakenBack) {
  const TemporaryDirectory directory;
  const fs::path file = directory.path() / "a.jsonl";
  const Owner owner{::getuid(), ::getgid(), {}};
  ASSERT_EQ(StepJournal(owner).append(file, "one\n"), 0);
  const pid_t child = ::fork();
  if (child == 0) {  // a file may have 6 bytes: two of the four that are written fit
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit six{6, 6};
    ::setrlimit(RLIMIT_FSIZE, &six);
    ::_exit(StepJournal(owner).append(file, "two\n") == 0 ? 1 : 0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "half a line passed for a whole one";
  EXPECT_EQ(content(file), "one\n");
}

Owner self() {
  return {::getuid(), ::getgid(), {}};
}

TEST(SpankJournalFile, OnlyARegularFileIsWritten) {
  const TemporaryDirectory directory;
  const fs::path fifo = directory.path() / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  StepJournal journal(self());
  EXPECT_EQ(journal.append(fifo, "x\n"), ENXIO) << "nobody reads it, and we do not wait for one";
  const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  EXPECT_EQ(journal.append(fifo, "x\n"), EINVAL);
  char byte = 0;
  EXPECT_LE(::read(reader, &byte, 1), 0);
  ::close(reader);
  EXPECT_NE(journal.append("/dev/null", "x\n"), 0);
}

TEST(SpankJournalFile, AFileOfAnotherUserIsLeftAlone) {
  if (::geteuid() != 0) GTEST_SKIP() << "takes root, to give a file away";
  const TemporaryDirectory directory;
  const fs::path file = directory.path() / "a.jsonl";
  std::ofstream(file) << "theirs\n";
  ASSERT_EQ(::chown(file.c_str(), 65534, 65534), 0);
  EXPECT_EQ(StepJournal(self()).append(file, "x\n"), EPERM);
  EXPECT_EQ(content(file), "theirs\n");
}

/// A file that nobody can open as long as this object does not say so: as on a file system that does not
/// answer.
class StuckFile {
 public:
  explicit StuckFile(const fs::path& file)
      : group_(::fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY | O_CLOEXEC)) {
    std::ofstream(file) << "";
    is_there_ =
        group_ >= 0 && ::fanotify_mark(group_, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, file.c_str()) == 0;
  }
  ~StuckFile() { ::close(group_); }
  StuckFile(const StuckFile&) = delete;
  StuckFile& operator=(const StuckFile&) = delete;
  [[nodiscard]] bool is_there() const { return is_there_; }
  void wait_for_opener() const {
    fanotify_event_metadata event{};
    ASSERT_EQ(::read(group_, &event, sizeof event), static_cast<ssize_t>(sizeof event));
    ::close(event.fd);
  }

 private:
  int group_;
  bool is_there_ = false;
};

TEST(SpankJournalFile, AFileSystemThatDoesNotAnswerCostsAStepOneDeadlineHoweverManyRanksItHas) {
  const TemporaryDirectory directory;
  const fs::path file = directory.path() / "a.jsonl";
  StepJournal journal(self(), std::chrono::milliseconds(300));
  {
    const StuckFile stuck(file);
    if (!stuck.is_there()) GTEST_SKIP() << "takes root, and a kernel with fanotify's permission events";
    const auto begun = std::chrono::steady_clock::now();
    for (int rank = 0; rank < 100; ++rank) EXPECT_EQ(journal.append(file, "x\n"), ETIMEDOUT);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
  }
  EXPECT_EQ(journal.append(file, "x\n"), ETIMEDOUT) << "its time is over";
  EXPECT_EQ(journal.children(), 0U);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child was not reaped";
  EXPECT_EQ(content(file), "");
}

TEST(SpankJournalFile, TheChildHasNoneOfItsParentsDescriptors) {
  const TemporaryDirectory directory;
  const fs::path file = directory.path() / "a.jsonl";
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  std::optional<StuckFile> stuck(file);
  if (!stuck->is_there()) GTEST_SKIP() << "takes root, and a kernel with fanotify's permission events";
  std::atomic<bool> is_over = false;
  int written = -1;
  std::thread writer([&] {
    written = StepJournal(self()).append(file, "x\n");
    is_over = true;
  });
  stuck->wait_for_opener();
  ::close(ends[1]);
  char byte = 0;
  EXPECT_EQ(::read(ends[0], &byte, 1), 0);
  EXPECT_FALSE(is_over) << "the pipe came to its end only when the child did";
  stuck.reset();
  writer.join();
  EXPECT_EQ(written, 0);
  ::close(ends[0]);
}

}  // namespace
}  // namespace kernmill::spank
