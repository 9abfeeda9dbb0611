#include "kernmill/run/submit/generation.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/submit/submission.hpp"
#include "temporary_directory.hpp"

namespace kernmill {
namespace {

using testing::TemporaryDirectory;

class GenerationTest : public ::testing::Test {
 protected:
  [[nodiscard]] RunRecord record() const { return fold_journal(run.journal()); }
  [[nodiscard]] unsigned next(const std::vector<ClusterJob>& jobs = {}) const {
    return next_generation(run, record(), jobs);
  }

  TemporaryDirectory folder;
  RunDirectory run = create_run_directory(folder.path(), "test", false);
};

TEST_F(GenerationTest, TheFirstIsOne) {
  EXPECT_EQ(next(), 1U);
}

// Somebody was killed between the two: nobody ever writes into that file.
TEST_F(GenerationTest, AJournalFileWithoutARecordIsPassedOver) {
  submission_journal(run, 1);
  EXPECT_EQ(next(), 2U);
  submission_journal(run, 2);
  EXPECT_EQ(next(), 3U);
}

TEST_F(GenerationTest, ARecordCountsWhereverItStands) {
  JournalWriter(run.journal(), "gathered", 0, "conductor").append(to_record(events::Submitting{4, "t"}));
  EXPECT_EQ(next(), 5U);
}

TEST_F(GenerationTest, AJobInTheQueueCounts) {
  ClusterJob job;
  job.comment = array_comment(run.name(), 7, "a.0");
  ClusterJob other;
  other.comment = array_comment("other", 9, "a.0");
  EXPECT_EQ(next({job, other}), 8U);
}

TEST_F(GenerationTest, ARunWasSubmittedFromTheFirstFileOn) {
  EXPECT_FALSE(was_submitted(run, record()));
  JournalWriter(run.journal(), "conductor-1-2", 0, "conductor");
  EXPECT_FALSE(was_submitted(run, record()));
  submission_journal(run, 0);
  EXPECT_TRUE(was_submitted(run, record()));
}

TEST(JobFile, IsNamedByItsGenerationAndOldNamesAreRead) {
  const auto now = job_file(journal_name("12_3", 2) + ".1.n1.site.org.exec.jsonl");
  ASSERT_TRUE(now);
  EXPECT_EQ(now->job, "12_3");
  EXPECT_EQ(now->generation, 2U);
  EXPECT_EQ(now->restart, 1U);
  const auto before = job_file("12.0.n1.close.jsonl");
  ASSERT_TRUE(before);
  EXPECT_EQ(before->job, "12");
  EXPECT_EQ(before->generation, 0U);
  for (const char* other : {"submit-1.0.n1.submit.jsonl", "fit.3.1.0.n1.exec.jsonl", "12_.0.n1.exec.jsonl",
                            "12-g.0.n1.exec.jsonl", "12", "", "12.x.n1.exec.jsonl"})
    EXPECT_FALSE(job_file(other)) << other;
}

TEST_F(GenerationTest, JobsThatHaveBegunAreCountedByGeneration) {
  for (const char* name :
       {"5_1-g1.0.n1.exec.jsonl", "5_1-g1.2.n2.exec.jsonl", "5_1-g2.0.n1.exec.jsonl", "6.1.n1.exec.jsonl"})
    std::ofstream(run.journal() / name) << "";
  const BegunJobs begun(run.journal());
  EXPECT_EQ(begun.starts("5_1", 1), 3U);
  EXPECT_EQ(begun.starts("5_1", 2), 1U);
  EXPECT_EQ(begun.starts("5_1", 3), 0U);
  EXPECT_EQ(begun.starts("5_2", 1), 0U);
  EXPECT_EQ(begun.starts("6", 4), 2U) << "an old name does not say which";
}

}  // namespace
}  // namespace kernmill
