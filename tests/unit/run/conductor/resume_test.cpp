#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conductor_world.hpp"
#include "kernmill/os/process.hpp"
#include "kernmill/run/journal/open_attempts.hpp"

namespace kernmill::testing {
namespace {

using ::testing::HasSubstr;

/// A run directory whose conductor is gone.
class DeadRun : public ::testing::Test {
 protected:
  DeadRun() { std::filesystem::create_directories(run.journal()); }

  void journal(const std::string& job, const std::vector<Record>& records) {
    JournalWriter writer(run.journal(), job, 0, "exec");
    for (const Record& record : records) writer.append(record);
  }
  static Record about(const std::string& event, Json more = Json::object()) {
    Json body{{"stage", "a"}, {"instance", 0}, {"attempt", 1}};
    body.update(more);
    return {event, body};
  }
  RunRecord settle() {
    JournalWriter writer(run.journal(), "conductor-2-2", 0, "conductor");
    return settle_open_attempts(run, writer, host_name(), [this](const OpenAttempt& open) {
      abandoned.push_back(open.attempt.number);
    });
  }
  /// A process of attempt 1 of the instance, in a process group of its own.
  int start_orphan() {
    SpawnOptions options;
    options.argv = {"sleep", "1000"};
    options.env = {{"PATH", "/usr/bin:/bin"}, {"KERNMILL_TOKEN", attempt_token(run, "a", 0, 1)}};
    options.out = options.err = (folder.path() / "log").string();
    return spawn(options);
  }

  TemporaryDirectory folder;
  RunDirectory run{folder.path() / "dead-run"};
  std::vector<unsigned> abandoned;
};

TEST_F(DeadRun, HasItsOrphansEndedAndTheirAttemptsAbandoned) {
  const int orphan = start_orphan();
  journal("job", {about("submitted", {{"job", "job"}}),
                  about("started",
                        {{"pid", orphan}, {"start_time", start_time_of(orphan)}, {"host", host_name()}})});
  const RunRecord record = settle();
  EXPECT_EQ(reap(orphan), 128 + SIGKILL);
  EXPECT_EQ(record.find("a", 0)->attempts.back().state, AttemptState::abandoned);
  EXPECT_THAT(abandoned, ::testing::ElementsAre(1U));
}

// The conductor died between starting the job and the job's first record.
TEST_F(DeadRun, HasOrphansEndedThatHadNotJournalledYet) {
  const int orphan = start_orphan();
  journal("job", {about("submitted", {{"job", "job"}})});
  settle();
  EXPECT_EQ(reap(orphan), 128 + SIGKILL);
}

TEST_F(DeadRun, KeepsWhatHasCommitted) {
  journal("job", {about("submitted", {{"job", "job"}}),
                  about("started", {{"pid", 1}, {"start_time", 1}, {"host", host_name()}}),
                  about("committed", {{"metrics", Json::object()}, {"artifacts", Json::array()}})});
  const RunRecord record = settle();
  EXPECT_TRUE(record.find("a", 0)->committed);
  EXPECT_TRUE(abandoned.empty());
}

// A pid that another process has meanwhile is left alone.
TEST_F(DeadRun, DoesNotTouchAProcessThatStartedAtAnotherTime) {
  SpawnOptions options;
  options.argv = {"sleep", "1000"};
  options.env = {{"PATH", "/usr/bin:/bin"}};
  options.out = options.err = (folder.path() / "log").string();
  const int other = spawn(options);
  const std::uint64_t start = start_time_of(other);
  journal("job", {about("submitted", {{"job", "job"}}),
                  about("started", {{"pid", other}, {"start_time", start + 1}, {"host", host_name()}})});
  settle();
  EXPECT_TRUE(is_alive(other, start));
  kill(other, SIGKILL);
  reap(other);
}

TEST_F(DeadRun, OfAnotherHostIsNotResumedHere) {
  journal("job", {about("submitted", {{"job", "job"}}),
                  about("started", {{"pid", 1}, {"start_time", 1}, {"host", "elsewhere"}})});
  try {
    settle();
    FAIL() << "settled what runs elsewhere";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("elsewhere"));
  }
}

}  // namespace
}  // namespace kernmill::testing
