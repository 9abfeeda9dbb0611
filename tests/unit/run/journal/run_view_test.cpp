// Snapshots of the journal: who looks gets the same answer with one, without one, and with a wrong one.
#include "kernmill/run/journal/run_view.hpp"

#include <fstream>
#include <functional>
#include <iterator>
#include <random>
#include <stdexcept>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/journal/gathered_files.hpp"
#include "kernmill/run/journal/snapshot.hpp"
#include "temporary_directory.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using Trust = ViewOptions::Trust;

Json to_json(const AttemptRecord& attempt) {
  return {attempt.number,      static_cast<int>(attempt.state),
          attempt.started,     attempt.message,
          attempt.exit_code,   attempt.submitted_at,
          attempt.started_at,  attempt.ended_at,
          attempt.cached_from, attempt.slot,
          attempt.peak_memory, attempt.warning};
}

/// What one may ask of an instance.
Json to_json(const InstanceRecord& instance) {
  Json json{{"committed", instance.committed}, {"skipped", instance.skipped}, {"why", instance.why},
            {"metrics", instance.metrics},     {"attempts", Json::array()},   {"artifacts", Json::array()}};
  for (const AttemptRecord& attempt : instance.attempts) json["attempts"].push_back(to_json(attempt));
  for (const Artifact& artifact : instance.artifacts) json["artifacts"].push_back(to_json(artifact));
  return json;
}

Json to_json(const RunRecord& record) {
  Json json{{"started", record.started_at},  {"ended", record.ended_at},     {"outcome", record.outcome},
            {"scheduler", record.scheduler}, {"packs", record.packs.size()}, {"generations", Json::array()}};
  for (const auto& [number, generation] : record.generations)
    json["generations"].push_back({number, generation.token, generation.released});
  return json;
}

constexpr unsigned many = 1'300, few = 4;  // instances of the stages a and b

/// What a journal says of each instance, or of each `step`-th.
Json answer(const RunRecord& record, unsigned step = 1) {
  Json json = to_json(record);
  for (const auto& [key, instance] : record.instances)
    if (key.second % step == 0 && (!instance.attempts.empty() || instance.skipped))
      json["of"].push_back({key.first, key.second, to_json(instance)});
  return json;
}

Json answer(const RunView& view, unsigned step = 1) {
  Json json = to_json(view.record);
  for (const auto& [stage, count] : {std::pair("a", many), std::pair("b", few)})
    for (unsigned index = 0; index < count; index += step)
      if (const auto instance = view.find(stage, index))
        json["of"].push_back({stage, index, to_json(*instance)});
  return json;
}

/// What `ask` gives, or the error that it ends with.
Json answer_or_error(const std::function<Json()>& ask) {
  try {
    return ask();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

class Snapshot : public ::testing::Test {
 protected:
  [[nodiscard]] const fs::path& journal() const { return place_.path(); }
  [[nodiscard]] Json whole() const {
    return answer_or_error([&] { return answer(fold_journal(journal()), step_); });
  }
  [[nodiscard]] Json viewed(Trust trust = Trust::times) const {
    return answer_or_error([&] { return answer(view_journal(journal(), {.trust = trust}), step_); });
  }

  static events::Subject of(unsigned index, unsigned attempt = 1, const std::string& stage = "a") {
    return {stage, index, attempt};
  }
  static std::vector<Record> plain(unsigned index, unsigned attempt = 1) {
    CommittedResult result;
    if (index % 3 == 0) result.left.metrics = {{"accuracy", 0.25 * index}, {"note", "\u00e9\n"}};
    if (index % 5 == 0) result.peak_memory = std::uint64_t{index + 1} << 20;
    if (index % 9 == 0) result.warning = "line " + std::to_string(index % 2);
    if (index % 7 == 0) result.left.artifacts = {{"model", "/m/" + std::to_string(index), 5, "abc"}};
    return {to_record(events::Started{of(index, attempt), "pack", {12, 34, "n1"}, "pack.0"}),
            to_record(events::Committed{of(index, attempt), result})};
  }
  /// What else may happen to an instance, from that attempt on.
  std::vector<Record> story(unsigned index, unsigned attempt = 1) {
    const events::Reason reason{Cause::error, 3, 0, "no luck"};
    const events::Subject first = of(index, attempt), second = of(index, attempt + 1);
    const Record start = to_record(events::Started{first, "j", {1, 2, "n1"}});
    const Record start_again = to_record(events::Started{second, "j", {1, 2, "n1"}});
    switch (random_() % 9) {
      case 0:
        return {start, to_record(events::Failed{first, reason})};
      case 1:
        return {start, to_record(events::Retrying{first, reason, 2.0, 1.0}), start_again,
                to_record(events::Committed{second})};
      case 2:
        return {to_record(events::Skipped{"a", index, "x is false"})};
      case 3:
        return {start};
      case 4:
        return {to_record(events::Committed{first, {.left = {}, .key = "k", .cached_from = "/old"}})};
      case 5:
        return {start, to_record(events::Abandoned{first, {}, "gone"}), to_record(events::Committed{first})};
      case 6:
        return {start, to_record(events::Committed{first}), start_again};
      default:
        return plain(index, attempt);
    }
  }

  /// A journal that is large enough for a snapshot, and mostly plain.
  void write_large(const std::string& role = "conductor") {
    JournalWriter writer(journal(), "first", 0, role);
    std::vector<Record> records{to_record(events::RunStarted{{7, 8, "n0"}}),
                                to_record(events::Packed{{"a", "pack", {{0, many - 1, 1}}}})};
    for (unsigned index = 0; index < many; ++index)
      for (Record& record : index % 20 == 19 ? story(index) : plain(index))
        records.push_back(std::move(record));
    for (unsigned index = 0; index < few; ++index) {
      records.push_back(to_record(events::Submitted{of(index, 1, "b"), "j", "its parents finished"}));
      records.push_back(to_record(events::Started{of(index, 1, "b"), "j", {1, 2, "n1"}}));
      records.push_back(to_record(events::Committed{of(index, 1, "b")}));
    }
    writer.append_all(records);
    file_ = writer.path();
  }
  void append(const std::string& name, const std::vector<Record>& records,
              const std::string& role = "conductor") {
    JournalWriter(journal(), name, 0, role).append_all(records);
  }

  static void overwrite(const fs::path& file, std::size_t at, char byte) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(static_cast<std::streamoff>(at)).put(byte);
  }

  const testing::TemporaryDirectory place_;
  fs::path file_;
  unsigned step_ = 1;
  std::mt19937 random_{7};
};

TEST_F(Snapshot, IsLeftOfALargeJournalAlone) {
  append("small", plain(1));
  keep_snapshot(journal(), Worth::grown);
  EXPECT_FALSE(fs::exists(snapshot_path(journal())));
  write_large();
  keep_snapshot(journal(), Worth::grown);
  EXPECT_TRUE(fs::exists(snapshot_path(journal())));
}

TEST_F(Snapshot, SaysWhatTheJournalSays) {
  write_large();
  append("second", {to_record(events::Submitting{1, "token"}), to_record(events::Released{1}),
                    to_record(events::RunFinished{"done"})});
  const Json expected = whole();
  EXPECT_EQ(viewed(), expected);  // there is none
  EXPECT_EQ(answer(view_and_keep(journal())), expected);
  ASSERT_TRUE(fs::exists(snapshot_path(journal())));
  EXPECT_EQ(viewed(Trust::times), expected);
  EXPECT_EQ(viewed(Trust::bytes), expected);
}

TEST_F(Snapshot, IsGoneOnWithFromWhereItEnds) {
  write_large();
  keep_snapshot(journal(), Worth::grown);
  std::vector<Record> more{to_record(events::RunFinished{"failed"}),
                           to_record(events::RunStarted{{9, 9, "n0"}})};
  for (unsigned index = 0; index < 400; ++index)
    for (Record& record : index % 2 == 0 ? plain(index, 3) : story(index, 3))
      more.push_back(std::move(record));
  append("second", more);
  EXPECT_EQ(viewed(), whole());
  EXPECT_EQ(answer(view_and_keep(journal())), whole());  // a snapshot upon a snapshot
  append("third", story(3, 5));
  append("job", story(5, 5), "exec");
  EXPECT_EQ(viewed(), whole());
}

TEST_F(Snapshot, StandsForWholeLinesOfAFileThatGrows) {
  write_large();
  const std::string line = to_line(to_record(events::Failed{of(2), {Cause::oom, {}, 9, "too large"}}));
  std::ofstream(file_, std::ios::app) << line.substr(0, line.size() / 2);
  keep_snapshot(journal(), Worth::grown);
  EXPECT_EQ(viewed(), whole());
  std::ofstream(file_, std::ios::app) << line.substr(line.size() / 2);
  EXPECT_EQ(viewed(), whole());
  EXPECT_EQ(view_journal(journal()).find("a", 2)->attempts.back().message, "too large");
}

TEST_F(Snapshot, DoesNotStandForFilesThatAreStillToBeGathered) {
  write_large();
  append("job", plain(3, 2), "exec");
  keep_snapshot(journal(), Worth::grown);
  const Json before = whole();
  EXPECT_EQ(viewed(), before);
  JournalWriter conductor(journal(), "second", 0, "conductor");
  gather_ended_jobs(journal(), conductor);
  EXPECT_EQ(viewed(), before);
}

TEST_F(Snapshot, StandsForTheFilesOfJobsOnACluster) {
  append("submit-1", {to_record(events::Submitting{1, "token"})}, "submit");
  write_large("exec");
  keep_snapshot(journal(), Worth::grown);
  EXPECT_EQ(SnapshotFile::open(journal()).value().covered().size(), 2U);
  EXPECT_EQ(viewed(), whole());
}

TEST_F(Snapshot, IsNotUsedWhenAFileIsGone) {
  write_large();
  append("second", plain(3, 2));
  keep_snapshot(journal(), Worth::grown);
  fs::remove(file_);
  EXPECT_EQ(viewed(), whole());
}

TEST_F(Snapshot, IsNotUsedWhenItIsDamagedAnywhere) {
  write_large();
  keep_snapshot(journal(), Worth::grown);
  const fs::path file = snapshot_path(journal());
  const std::string good = read_file(file);
  step_ = 101;
  const Json expected = whole();
  const std::size_t index = good.find('\n');
  std::vector<std::size_t> places;
  for (std::size_t at = 0; at <= index; at += 3) places.push_back(at);
  for (std::size_t at = index; at < good.size(); at += 1'201) places.push_back(at);
  for (const std::size_t at : places) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    std::ofstream(file, std::ios::binary) << bad;
    ASSERT_EQ(viewed(), expected) << "byte " << at;
  }
  for (std::size_t length = 0; length < good.size(); length += 4'999) {
    std::ofstream(file, std::ios::binary) << good.substr(0, length);
    ASSERT_EQ(viewed(), expected) << length << " bytes";
  }
}

TEST_F(Snapshot, OfAnotherVersionIsNotUsed) {
  write_large();
  keep_snapshot(journal(), Worth::grown);
  const fs::path file = snapshot_path(journal());
  const std::string good = read_file(file);
  ASSERT_TRUE(SnapshotFile::open(journal()));
  const std::size_t end = good.find('\n');
  Json index = Json::parse(good.substr(0, end));
  index.erase("crc");
  index["snapshot"] = index["snapshot"].get<int>() + 1;
  std::ofstream(file, std::ios::binary) << with_checksum(index.dump()) << good.substr(end);
  EXPECT_FALSE(SnapshotFile::open(journal()));
  EXPECT_EQ(viewed(), whole());
}

TEST_F(Snapshot, IsNotUsedOfAJournalThatWasChanged) {
  write_large();
  std::string text = read_file(file_);
  // A line of an earlier version has no checksum: a change of it is another journal, not damage.
  const std::string sum = text.substr(text.find(",\"crc\":\"", text.find("\"committed\"")), 17);
  text.erase(text.find(sum), sum.size());
  std::ofstream(file_, std::ios::binary) << text;
  keep_snapshot(journal(), Worth::grown);
  const Json before = whole();
  struct stat times {};
  ASSERT_EQ(::stat(file_.c_str(), &times), 0);
  const std::size_t at = text.find("\"accuracy\":0.0") + 11;
  overwrite(file_, at, '7');
  const timespec restored[2] = {times.st_atim, times.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, file_.c_str(), restored, 0), 0);
  EXPECT_NE(whole(), before);
  EXPECT_EQ(viewed(Trust::times), whole());
  EXPECT_EQ(viewed(Trust::bytes), whole());
}

TEST_F(Snapshot, DoesNotHideDamageOfTheJournal) {
  write_large();
  keep_snapshot(journal(), Worth::grown);
  const std::string good = read_file(file_);
  step_ = 101;
  const Json undamaged = whole();
  for (std::size_t at = 11; at < good.size(); at += 7'507) {
    overwrite(file_, at, static_cast<char>(good[at] ^ (1 << (at % 8))));
    const Json expected = whole();
    ASSERT_TRUE(expected.is_string() || expected == undamaged) << "byte " << at;
    ASSERT_EQ(viewed(Trust::times), expected) << "byte " << at;
    ASSERT_EQ(viewed(Trust::bytes), expected) << "byte " << at;
    overwrite(file_, at, good[at]);
  }
}

// Damage that leaves no trace in a file's times is the disk's: who acts finds it all the same.
TEST_F(Snapshot, IsBelievedByTimesBySomebodyWhoLooksAndByBytesBySomebodyWhoActs) {
  write_large();
  keep_snapshot(journal(), Worth::grown);
  const Json before = whole();
  auto snapshot = SnapshotFile::open(journal());
  std::vector<CoveredFile> covered = snapshot->covered();
  FoldState state = snapshot->state().value();
  ASSERT_TRUE(snapshot->add_rows(state));
  overwrite(file_, 2'000, '\x01');
  covered.at(0).as_read = file_identity(file_).value();
  write_snapshot(journal(), covered, state);
  EXPECT_EQ(viewed(Trust::times), before);
  EXPECT_EQ(viewed(Trust::bytes), whole());
  EXPECT_TRUE(whole().is_string());
}

TEST_F(Snapshot, CountsThePlainOnesWithoutTheirRows) {
  write_large();
  keep_snapshot(journal(), Worth::grown);
  const RunView counts = view_journal(journal(), {.rows = false}), rows = view_journal(journal());
  const PlainSummary *counted = counts.plain.summary("a"), *listed = rows.plain.summary("a");
  ASSERT_NE(counted, nullptr);
  EXPECT_GT(counted->instances.size(), 1'000U);
  EXPECT_EQ(counted->instances, listed->instances);
  EXPECT_GT(counted->warnings, 0U);
  EXPECT_EQ(counted->warnings, listed->warnings);
  EXPECT_TRUE(counts.plain.rows("a").empty());
  EXPECT_FALSE(counted->instances.contains(many - 1)) << "the last one is spelt out";
  append("second", plain(5, 2));
  EXPECT_EQ(answer(view_journal(journal(), {.rows = false})), whole()) << "what came since needs them";
}

TEST_F(Snapshot, IsMadeAgainWhenTheJournalHasDoubled) {
  write_large();
  keep_snapshot(journal(), Worth::doubled);
  const std::string first = read_file(snapshot_path(journal()));
  append("second", plain(5, 2));
  keep_snapshot(journal(), Worth::doubled);
  EXPECT_EQ(read_file(snapshot_path(journal())), first);
  keep_snapshot(journal(), Worth::grown);
  EXPECT_NE(read_file(snapshot_path(journal())), first);
}

TEST_F(Snapshot, ThatCannotBeWrittenIsNotMissed) {
  write_large();
  fs::create_directory(snapshot_path(journal()));
  fs::create_directory(snapshot_path(journal()) / "in the way");
  EXPECT_NO_THROW(keep_snapshot(journal(), Worth::grown));
  EXPECT_EQ(answer(view_and_keep(journal())), whole());
}

}  // namespace
}  // namespace kernmill
