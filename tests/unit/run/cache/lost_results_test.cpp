#include "kernmill/run/cache/lost_results.hpp"

#include <gmock/gmock.h>

#include "cache_support.hpp"

namespace kernmill::testing {
namespace {

using ::testing::HasSubstr;

/// The record of a run whose only instance has left two files.
class LostResults : public ::testing::Test {
 protected:
  LostResults() {
    InstanceRecord& fit = record_.instances[{"fit", 0}];
    fit.committed = true;
    fit.metrics = {{"loss", 0.5}};
    fit.attempts.emplace_back().number = 2;
    fit.attempts.back().state = AttemptState::committed;
    for (const char* name : {"model", "log"}) {
      write(path(name), "content");
      fit.artifacts.push_back({name, path(name), 7, sha256("content")});
    }
  }
  [[nodiscard]] std::string path(const std::string& name) const {
    return (directory_.path() / name).string();
  }
  [[nodiscard]] const InstanceRecord& fit() const { return *record_.find("fit", 0); }
  TemporaryDirectory directory_;
  DigestStore digests_{directory_.path()};
  RunRecord record_;
};

TEST_F(LostResults, AreNoneWhereEverythingIsAsItWas) {
  EXPECT_TRUE(take_out_lost_results(record_, digests_).empty());
  EXPECT_TRUE(fit().committed);
}

TEST_F(LostResults, OfADeletedFileAreAsNeverCommitted) {
  fs::remove(path("log"));
  const auto lost = take_out_lost_results(record_, digests_);
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].stage, "fit");
  EXPECT_EQ(lost[0].why, path("log") + " is gone");
  EXPECT_FALSE(fit().committed);
  EXPECT_TRUE(fit().artifacts.empty());
  EXPECT_TRUE(fit().metrics.empty());
}

TEST_F(LostResults, OfAFileOfAnotherSizeToo) {
  write(path("model"), "cont");
  const auto lost = take_out_lost_results(record_, digests_);
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_THAT(lost[0].why, HasSubstr("has 4 bytes, and had 7"));
}

TEST_F(LostResults, OfAFileWithAFlippedByteToo) {
  write(path("model"), "cOntent");
  const auto lost = take_out_lost_results(record_, digests_);
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_THAT(lost[0].why, HasSubstr("has been changed since it was committed"));
  EXPECT_FALSE(fit().committed);
}

TEST_F(LostResults, AreOpenAgainForEveryReaderOfTheJournal) {
  JournalWriter journal(directory_.path(), "resume", 0, "conductor");
  EXPECT_TRUE(give_up_lost_results(record_, digests_, journal).empty());
  EXPECT_TRUE(read_journal_file(journal.path()).empty());
  fs::remove(path("log"));
  EXPECT_EQ(give_up_lost_results(record_, digests_, journal).size(), 1U);
  const auto records = read_journal_file(journal.path());
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].event, "result_lost");
  EXPECT_EQ(records[0].body["attempt"], 2);
  EXPECT_EQ(fit().attempts.back().state, AttemptState::lost);
}

}  // namespace
}  // namespace kernmill::testing
