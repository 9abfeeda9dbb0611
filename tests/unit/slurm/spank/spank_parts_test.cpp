#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal_file.hpp"
#include "memory_watch.hpp"
#include "rank_event.hpp"
#include "run_folder.hpp"
#include "temporary_directory.hpp"

namespace kernmill::spank {
namespace {

namespace fs = std::filesystem;
using kernmill::testing::TemporaryDirectory;

std::string content(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(SpankRankEvent, SaysHowARankEnded) {
  RankEnded event{.job = "12_3",
                  .step = "0",
                  .node = "n1",
                  .rank = 5,
                  .pid = 77,
                  .status = 9,
                  .memory = 1024,
                  .stage = "fit",
                  .instance = 3,
                  .attempt = 2};
  EXPECT_EQ(
      to_line(event, "T"),
      R"({"v":1,"time":"T","event":"rank_ended","stage":"fit","instance":3,"attempt":2,"job":"12_3","step":"0",)"
      R"("rank":5,"node":"n1","pid":77,"signal":9,"memory":1024})"
      "\n");
  event.status = 3 << 8;
  event.stage = "a \"quoted\\ \n name";
  EXPECT_THAT(to_line(event, "T"),
              ::testing::AllOf(::testing::HasSubstr(R"("exit_code":3)"),
                               ::testing::HasSubstr(R"("stage":"a \"quoted\\   name")")));
  EXPECT_EQ(utc_timestamp().size(), std::string("2026-11-21T04:05:06.123Z").size());
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

TEST(SpankMemoryWatch, KeepsTheLastSampleOfAProcessThatHasEnded) {
  EXPECT_GT(peak_memory(::getpid()), 1'000'000U);
  EXPECT_EQ(peak_memory(0), 0U);
  MemoryWatch watch(std::chrono::milliseconds{5});
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  watch.add(child);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_GT(watch.take(child), 0U);
  EXPECT_EQ(watch.take(child), 0U) << "what was taken is not watched any more";
}

TEST(SpankRunFolder, IsAPathOrTheNameOfARun) {
  const TemporaryDirectory directory;
  const fs::path run = directory.path() / "runs" / "iris-1";
  fs::create_directories(run / "journal");
  fs::create_directories(directory.path() / "runs" / "no-run");
  EXPECT_EQ(find_run("iris-1", directory.path()), run);
  EXPECT_EQ(find_run("runs/iris-1", directory.path()), run);
  EXPECT_EQ(find_run(run, "/"), run);
  EXPECT_EQ(find_run("iris-1", "/", directory.path() / "runs"), run);
  EXPECT_EQ(find_run("no-run", directory.path()), "");
  EXPECT_EQ(find_run("", directory.path()), "");
}

}  // namespace
}  // namespace kernmill::spank
