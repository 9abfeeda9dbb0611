#include "kernmill/run/journal/journal.hpp"

#include <chrono>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/base/timestamp.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/run/journal/events.hpp"
#include "temporary_directory.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Journal : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path path() const { return directory_.path(); }

  void write(const std::string& job, const std::vector<Record>& records) {
    JournalWriter writer(path(), job, 0, "exec");
    for (const auto& record : records) writer.append(record);
  }
  static Json of(unsigned attempt, Json more = Json::object()) {
    Json body = {{"stage", "fit"}, {"instance", 3}, {"attempt", attempt}};
    body.update(more);
    return body;
  }
  static Record started(unsigned attempt) {
    return {"started", of(attempt, {{"pid", 10 + attempt}, {"start_time", 99}, {"host", "n1"}})};
  }
  static Record committed(unsigned attempt) {
    return {"committed", of(attempt, {{"metrics", {{"accuracy", 0.5 + attempt}}},
                                      {"artifacts", {to_json(Artifact{"model", "/m", 5, "abc"})}},
                                      {"key", "k"}})};
  }
  InstanceRecord folded() {
    const RunRecord record = fold_journal(path());
    const auto* found = record.find("fit", 3);
    return found == nullptr ? InstanceRecord{} : *found;
  }
  std::string error_of_folding() {
    try {
      fold_journal(path());
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "no error";
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(Journal, GivesBackWhatWasAppended) {
  JournalWriter writer(path(), "fit.3.1-abc", 0, "exec");
  writer.append(started(1));
  writer.append(committed(1));
  const auto records = read_journal_file(writer.path());
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].event, "started");
  EXPECT_EQ(records[1].body, committed(1).body);
}

TEST_F(Journal, FileBelongsToOneWriter) {
  const JournalWriter first(path(), "job", 0, "exec");
  EXPECT_THROW(JournalWriter(path(), "job", 0, "exec"), std::system_error);
  EXPECT_NO_THROW(JournalWriter(path(), "job", 1, "exec"));
}

TEST_F(Journal, HookHearsEachRecordBeforeAndAfterItIsDurable) {
  std::vector<std::pair<bool, std::size_t>> heard;
  fs::path file;
  JournalWriter writer(path(), "job", 0, "exec", [&](const Record&, bool durable) {
    heard.emplace_back(durable, read_journal_file(file).size());
  });
  file = writer.path();
  writer.append(started(1));
  EXPECT_EQ(heard, (std::vector<std::pair<bool, std::size_t>>{{false, 0}, {true, 1}}));
}

TEST_F(Journal, CommitOfTheOnlyAttemptCounts) {
  write("a", {started(1), committed(1)});
  const auto instance = folded();
  EXPECT_TRUE(instance.committed);
  EXPECT_EQ(instance.metrics["accuracy"], 1.5);
  ASSERT_EQ(instance.artifacts.size(), 1U);
  EXPECT_EQ(instance.artifacts[0].sha256, "abc");
  EXPECT_EQ(instance.attempts.at(0).key, "k");
  EXPECT_EQ(instance.attempts.at(0).exec.pid, 11);
}

TEST_F(Journal, CommitOfAnOlderAttemptIsFencedOff) {
  write("old", {started(1), committed(1)});
  write("new", {started(2)});
  EXPECT_FALSE(folded().committed);
}

TEST_F(Journal, CommitOfTheNewestAttemptWinsInWhateverOrderFilesAreFound) {
  write("z", {started(1), committed(1)});
  write("a", {started(2), committed(2)});
  const auto instance = folded();
  EXPECT_TRUE(instance.committed);
  EXPECT_EQ(instance.metrics["accuracy"], 2.5);
  EXPECT_EQ(instance.attempts.size(), 2U);
}

TEST_F(Journal, AnAttemptThatWasOnlySubmittedFencesNobody) {
  write("old", {started(1), committed(1)});
  write("conductor", {{"submitted", of(2, {{"job", "fit.3.2"}})}});
  EXPECT_TRUE(folded().committed);
}

TEST_F(Journal, ResultFromTheCacheNeedsNoStart) {
  Record cached = committed(1);
  cached.body["cached_from"] = "/runs/old/stages/fit/3/attempt-1";
  write("conductor", {cached});
  EXPECT_TRUE(folded().committed);
  EXPECT_EQ(folded().attempts.at(0).cached_from, "/runs/old/stages/fit/3/attempt-1");
}

TEST_F(Journal, CommitOutweighsAConductorThatGaveTheAttemptUp) {
  write("a-conductor", {{"abandoned", of(1, {{"why", "found dead"}})}});
  write("b-exec", {started(1), committed(1)});
  EXPECT_TRUE(folded().committed);
  EXPECT_EQ(folded().attempts.at(0).state, AttemptState::committed);
}

TEST_F(Journal, EndingsKeepTheirCauseAndMessage) {
  write("a",
        {started(1), {"failed", of(1, {{"cause", "oom"}, {"exit_code", 137}, {"message", "no memory"}})}});
  write("b", {started(2), {"stopped", of(2, {{"cause", "timeout"}})}});
  const auto attempts = folded().attempts;
  EXPECT_EQ(attempts.at(0).state, AttemptState::failed);
  EXPECT_EQ(attempts.at(0).cause, Cause::oom);
  EXPECT_EQ(attempts.at(0).exit_code, 137);
  EXPECT_EQ(attempts.at(0).message, "no memory");
  EXPECT_EQ(attempts.at(1).state, AttemptState::stopped);
  EXPECT_EQ(attempts.at(1).cause, Cause::timeout);
}

TEST_F(Journal, TornTailAtAnyByteIsNoRecord) {
  write("a", {started(1), committed(1)});
  const fs::path file = fs::directory_iterator(path())->path();
  const std::string whole = read_file(file);
  const std::size_t second = whole.find('\n') + 1;
  for (std::size_t length = second; length < whole.size(); ++length) {
    fs::resize_file(file, length);
    ASSERT_EQ(read_journal_file(file).size(), 1U) << "after " << length << " bytes";
    std::ofstream(file, std::ios::trunc) << whole;
  }
  EXPECT_EQ(read_journal_file(file).size(), 2U);
}

TEST_F(Journal, DamagedLineThatIsNotTheLastIsAnErrorWithItsPlace) {
  std::ofstream(path() / "job.0.host.exec.jsonl")
      << "{\"v\":1,\"event\":\"a\"}\n{\"v\":1,\"ev\n{\"v\":1,\"event\":\"b\"}\n";
  EXPECT_THAT(error_of_folding(), HasSubstr("job.0.host.exec.jsonl:2"));
}

TEST_F(Journal, ALastLineThatIsWholeAndDamagedIsNotTakenForOneThatWasCutShort) {
  std::ofstream(path() / "job.0.host.exec.jsonl") << "{\"v\":1,\"event\":\"a\"}\n{\"v\":1,\"ev\n";
  EXPECT_THAT(error_of_folding(), HasSubstr("job.0.host.exec.jsonl:2"));
}

TEST_F(Journal, AnyFlippedBitOfARecordIsFound) {
  write("a", {started(1), committed(1)});
  const fs::path file = fs::directory_iterator(path())->path();
  const std::string whole = read_file(file);
  const RunRecord before = fold_journal(path());
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    std::ofstream(file, std::ios::trunc) << flipped;
    const bool found = error_of_folding() != "no error";
    // In the name of the checksum, which says nothing then, or in the last end of line, which cuts the line
    // short.
    if (found || at + 1 == whole.size()) continue;
    const RunRecord after = fold_journal(path());
    EXPECT_EQ(after.instances.size(), before.instances.size()) << "at byte " << at << ": " << flipped;
    for (const auto& [key, instance] : after.instances) EXPECT_TRUE(instance.committed) << flipped;
  }
}

TEST_F(Journal, RecordOfANewerKernmillIsRefused) {
  std::ofstream(path() / "j.0.h.exec.jsonl") << "{\"v\":2,\"event\":\"a\"}\n{\"v\":1,\"event\":\"b\"}\n";
  EXPECT_THAT(error_of_folding(), HasSubstr("newer Kernmill"));
}

TEST_F(Journal, UnknownEventsAreIgnored) {
  write("a", {started(1), {"rested", of(1)}, committed(1)});
  EXPECT_TRUE(folded().committed);
}

TEST_F(Journal, RunHasAnOutcomeOnlyWhileNoNewConductorFollows) {
  const Json conductor = {{"pid", 7}, {"start_time", 8}, {"host", "n1"}};
  JournalWriter first(path(), "conductor-7", 0, "conductor");
  first.append({"run_started", conductor});
  EXPECT_EQ(fold_journal(path()).outcome, "");
  first.append({"run_finished", {{"outcome", "interrupted"}}});
  EXPECT_EQ(fold_journal(path()).outcome, "interrupted");
  EXPECT_EQ(fold_journal(path()).conductor.pid, 7);
  // The next conductor starts in a later millisecond: its file says so itself.
  std::ofstream(path() / "conductor-9.0.n1.conductor.jsonl")
      << R"({"v":1,"time":"2999-01-01T00:00:00.000Z","event":"run_started","pid":9,"start_time":9,"host":"n1"})"
      << '\n';
  EXPECT_EQ(fold_journal(path()).outcome, "");
  EXPECT_EQ(fold_journal(path()).conductor.pid, 9);
}

/// The clock of the n-th writer is off by so many hours.
class ShiftedClocks : public Journal, public ::testing::WithParamInterface<std::vector<int>> {
 protected:
  void write_at(std::size_t writer, const std::string& name, const std::vector<Record>& records) {
    std::ofstream file(path() / name);
    for (const Record& record : records) {
      Json line = {{"v", 1}, {"time", next_time(writer)}, {"event", record.event}};
      line.update(record.body);
      file << line.dump() << '\n';
    }
  }

 private:
  std::string next_time(std::size_t writer) {
    moment_ += std::chrono::milliseconds(1);
    return utc_timestamp(moment_ + std::chrono::hours(GetParam()[writer]));
  }
  std::chrono::system_clock::time_point moment_ = *utc_moment("2026-11-29T12:00:00.000Z");
};

TEST_P(ShiftedClocks, OfItsWritersDoNotChangeTheStateOfARun) {
  const Record start = to_record(events::RunStarted{{7, 8, "n1"}, false, {}, 1});
  const Record again = to_record(events::RunStarted{{9, 9, "n2"}, true, {}, 2});
  write_at(0, "conductor-7.0.n1.conductor.jsonl",
           {start, started(1), {"failed", of(1, {{"cause", "error"}})}});
  write_at(1, "cancel-8.0.n3.conductor.jsonl", {to_record(events::RunFinished{"cancelled", {}, 1})});
  EXPECT_EQ(fold_journal(path()).outcome, "cancelled");
  write_at(2, "conductor-9.0.n2.conductor.jsonl", {again, started(2)});
  RunRecord record = fold_journal(path());
  EXPECT_EQ(record.outcome, "") << "the run that was resumed is taken for one that has ended";
  EXPECT_EQ(record.conductor.pid, 9);
  EXPECT_EQ(record.life, 2U);
  write_at(1, "n3.0.n3.exec.jsonl", {committed(2), to_record(events::RunFinished{"done", {}, 2})});
  record = fold_journal(path());
  EXPECT_EQ(record.outcome, "done");
  EXPECT_TRUE(record.instances.begin()->second.committed);
}

TEST_P(ShiftedClocks, LetAClosingJobThatIsLateEndNothingButItsOwnLife) {
  const auto begun = [](unsigned life, unsigned generation) {
    return std::vector<Record>{
        to_record(events::RunStarted{{7, 8, "login"}, life > 1, "slurm", life, generation}),
        to_record(events::Submitting{generation, "token"})};
  };
  write_at(0, "submit-1.0.login.submit.jsonl", begun(1, 1));
  write_at(1, "submit-2.0.login2.submit.jsonl", begun(2, 2));
  write_at(2, "9-g1.0.n1.close.jsonl", {to_record(events::RunFinished{"failed", 1, 1})});
  const RunRecord record = fold_journal(path());
  EXPECT_EQ(record.outcome, "");
  EXPECT_EQ(record.lives.at(2), 2U);
}

TEST_P(ShiftedClocks, LeaveWhatAPersonWishedInForceWhenTwoEndOneLife) {
  write_at(0, "a.0.n1.conductor.jsonl", {to_record(events::RunStarted{{7, 8, "n1"}, false, {}, 1})});
  write_at(1, "b.0.n2.submit.jsonl", {to_record(events::RunFinished{"cancelled", {}, 1})});
  write_at(2, "c.0.n3.close.jsonl", {to_record(events::RunFinished{"failed", 1, 1})});
  EXPECT_EQ(fold_journal(path()).outcome, "cancelled");
}

INSTANTIATE_TEST_SUITE_P(Hours, ShiftedClocks,
                         ::testing::Values(std::vector{0, 0, 0}, std::vector{0, 5, -5}, std::vector{0, -7, 3},
                                           std::vector{9, -9, 0}, std::vector{-2, 4, 1}));

TEST_F(Journal, BytesThatAreNoUtf8DoNotLoseTheRecord) {
  write("a", {started(1), {"failed", of(1, {{"cause", "error"}, {"message", "bad \xff byte"}})}});
  EXPECT_THAT(folded().attempts.at(0).message, HasSubstr("bad "));
}

}  // namespace
}  // namespace kernmill
