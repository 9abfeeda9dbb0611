#include "kernmill/run/submit/missing_jobs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conductor_world.hpp"
#include "fake_cluster.hpp"
#include "kernmill/run/conductor/conductor_lock.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/submit/generation.hpp"

namespace kernmill {
namespace {

using testing::command_stage;
using ::testing::ElementsAre;
using testing::FakeCluster;
using ::testing::IsEmpty;
using testing::option_of;
using testing::plan_of_stages;
using testing::TemporaryDirectory;
using testing::with_instances;

/// A run of `a`, three instances of `b` after it, and `c` after them.
class MissingJobsTest : public ::testing::Test {
 protected:
  MissingJobsTest() {
    options.exec = "/bin/kernmill-exec";
    options.submission.pause = [](std::chrono::milliseconds) {};
    options.take_ready_results = [](const Plan&, const RunRecord& record, JournalWriter&) { return record; };
    options.tell = [this](const std::string& line) { told.push_back(line); };
  }

  std::optional<SubmittedJobs> submit() { return submit_missing(run, plan, cluster, {}, options); }
  std::optional<SubmittedJobs> resume() {
    options.resumed = true;
    cluster.calls.clear();
    return submit();
  }
  void set_state(const std::string& job, JobState state) {
    for (ClusterJob& one : cluster.known)
      if (one.id == job) one.state = state;
  }
  template <typename... Events>
  void journal(const std::string& job, const Events&... events) {
    JournalWriter writer(run.journal(), job, 0, "exec");
    (writer.append(to_record(events)), ...);
  }
  [[nodiscard]] RunRecord record() const { return fold_journal(run.journal()); }

  TemporaryDirectory folder;
  RunDirectory run = create_run_directory(folder.path(), "test", false);
  Plan plan = plan_of_stages(
      {command_stage("a"), with_instances(command_stage("b", {"a"}), 3), command_stage("c", {"b"})});
  FakeCluster cluster;
  MissingJobsOptions options;
  std::vector<std::string> told;
};

TEST_F(MissingJobsTest, OfANewRunAreAllAndNobodyIsAskedForJobs) {
  const auto made = submit();
  ASSERT_TRUE(made);
  EXPECT_EQ(made->arrays.size(), 3U);
  EXPECT_EQ(made->submission.closing_job, "4");
  EXPECT_EQ(cluster.queries, 0);
  EXPECT_EQ(record().scheduler, "slurm");
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(MissingJobsTest, AreNoneWhereAllIsInTheQueue) {
  submit();
  EXPECT_FALSE(resume());
  EXPECT_THAT(cluster.calls, IsEmpty());
}

TEST_F(MissingJobsTest, AvoidTheNodesThatHaveFailed) {
  submit();
  for (const char* id : {"1", "2", "3", "4"}) set_state(id, JobState::cancelled);
  const events::Subject a{"a", 0, 1};
  journal("1", events::Started{a, "1", {7, 8, "host"}, "", "n2"},
          events::Failed{a, {Cause::node_fail, 1, 0, "one of its nodes failed", "n2"}});
  ASSERT_TRUE(resume());
  EXPECT_EQ(option_of(cluster.submitted[4], "exclude"), "n2");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told[0], ::testing::StartsWith("avoids n2 until "));
}

TEST_F(MissingJobsTest, AreThoseWhoseJobIsGoneAndWaitForThoseThatAreThere) {
  submit();
  set_state("1", JobState::completed);
  set_state("3", JobState::cancelled);
  set_state("4", JobState::cancelled);
  journal("1", events::Started{{"a", 0, 1}, "1", {7, 8, "n1"}}, events::Committed{{"a", 0, 1}});
  const auto made = resume();
  ASSERT_TRUE(made);
  ASSERT_EQ(made->arrays.size(), 1U);
  EXPECT_EQ(made->arrays[0].key, "c.0");
  EXPECT_EQ(option_of(cluster.submitted[4], "dependency"), "afterany:2");
  EXPECT_EQ(option_of(cluster.submitted[5], "dependency"), "afterany:5:2")
      << "the closing job waits for both";
}

TEST_F(MissingJobsTest, BringAClosingJobOfTheirOwn) {
  submit();
  set_state("3", JobState::cancelled);
  ASSERT_TRUE(resume());
  EXPECT_THAT(cluster.calls, ElementsAre("submit 5 test.c", "submit 6 test.end", "cancel 4"));
}

TEST_F(MissingJobsTest, IsAClosingJobWhereSomebodyHasCancelledIt) {
  submit();
  set_state("4", JobState::cancelled);
  ASSERT_TRUE(resume());
  EXPECT_THAT(cluster.calls, ElementsAre("submit 5 test.end"));
  EXPECT_EQ(option_of(cluster.submitted[4], "dependency"), "afterany:1:2:3");
}

TEST_F(MissingJobsTest, LeaveTheOldClosingJobWhereTheyAreRejected) {
  submit();
  set_state("3", JobState::cancelled);
  cluster.mishaps = {FakeCluster::Mishap{ClusterError::Kind::rejected}};
  EXPECT_THROW(resume(), ClusterError);
  EXPECT_EQ(cluster.known[3].state, JobState::pending);
}

TEST_F(MissingJobsTest, AreNumberedOnAfterAnAttemptThatIsLost) {
  submit();
  for (const char* job : {"1", "2", "3", "4"}) set_state(job, JobState::cancelled);
  journal("1", events::Started{{"a", 0, 1}, "1", {7, 8, "n1"}});
  const auto made = resume();
  ASSERT_TRUE(made);
  EXPECT_EQ(made->arrays[0].attempt, 2U);
  EXPECT_EQ(record().find("a", 0)->attempts[0].state, AttemptState::abandoned);
}

TEST_F(MissingJobsTest, LeaveOutWhatIsReady) {
  options.take_ready_results = [this](const Plan&, const RunRecord&, JournalWriter& journal) {
    journal.append(to_record(events::Committed{{"a", 0, 1}}));
    return record();
  };
  const auto made = submit();
  ASSERT_TRUE(made);
  EXPECT_EQ(made->arrays.size(), 2U);
  EXPECT_EQ(option_of(cluster.submitted[0], "dependency"), "");
}

TEST_F(MissingJobsTest, TellsWhatAnEarlierSubmissionHadLeft) {
  options.submission.hold = true;
  submit();
  EXPECT_FALSE(resume());
  EXPECT_THAT(told, ElementsAre("released 1 job that an earlier submission had left held"));
}

TEST_F(MissingJobsTest, CanBeLookedForAgainAndAgainWhileAllIsInTheQueue) {
  submit();
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(resume());
  cluster.known.clear();
  EXPECT_TRUE(resume());
}

TEST_F(MissingJobsTest, AreSubmittedAfterSomebodyWasKilledBeforeItsFirstRecord) {
  submission_journal(run, 1);
  submission_journal(run, 2);
  const auto made = resume();
  ASSERT_TRUE(made);
  EXPECT_THAT(option_of(cluster.submitted[0], "comment"), ::testing::EndsWith(":3:a.0"));
}

// `scancel 2_1` while a, b[0] and b[2] go on: Slurm cancels c some time, since it waits for 2 as a whole.
TEST_F(MissingJobsTest, BringAlongWhatWaitsForThem) {
  submit();
  set_state("1", JobState::completed);
  journal("1", events::Started{{"a", 0, 1}, "1", {7, 8, "n1"}}, events::Committed{{"a", 0, 1}});
  cluster.cancel("2_1");
  const auto made = resume();
  ASSERT_TRUE(made);
  ASSERT_EQ(made->arrays.size(), 2U);
  EXPECT_EQ(made->arrays[0].element_indices().text(), "1");
  EXPECT_EQ(made->arrays[1].key, "c.0");
  EXPECT_THAT(cluster.calls, ElementsAre("cancel 3", "submit 5 test.b", "submit 6 test.c",
                                         "submit 7 test.end", "release 5", "cancel 4"));
  EXPECT_EQ(option_of(cluster.submitted[5], "dependency"), "afterok:5,afterany:2");
  EXPECT_THAT(told, ElementsAre("submits anew what waited for jobs that are gone: 3"));
}

TEST_F(MissingJobsTest, BringAlongTheElementsThatWaitForThemAlone) {
  plan =
      plan_of_stages({with_instances(command_stage("b"), 3), with_instances(command_stage("d", {"b"}), 3)});
  submit();
  cluster.cancel("1_1");
  const auto made = resume();
  ASSERT_TRUE(made);
  EXPECT_THAT(cluster.calls, ElementsAre("cancel 2_1", "submit 4 test.b", "submit 5 test.d",
                                         "submit 6 test.end", "release 4", "cancel 3"));
  ASSERT_EQ(made->arrays.size(), 2U);
  EXPECT_EQ(made->arrays[1].element_indices().text(), "1");
}

TEST_F(MissingJobsTest, AreThoseThatTheClusterWillNeverStart) {
  submit();
  set_state("1", JobState::completed);
  set_state("2", JobState::running);
  journal("1", events::Started{{"a", 0, 1}, "1", {7, 8, "n1"}}, events::Committed{{"a", 0, 1}});
  cluster.known[2].reason = "DependencyNeverSatisfied";
  const auto made = resume();
  ASSERT_TRUE(made);
  ASSERT_EQ(made->arrays.size(), 1U);
  EXPECT_EQ(made->arrays[0].key, "c.0");
  EXPECT_EQ(cluster.calls.front(), "cancel 3");
}

// The records of a pack become durable a little after its instances began.
TEST_F(MissingJobsTest, AreNumberedOnAfterAPackThatDiedBeforeItsFirstRecord) {
  Stage packed = with_instances(command_stage("p"), 4);
  packed.pack = 2;
  plan = plan_of_stages({packed});
  submit();
  cluster.known.clear();
  JournalWriter(run.journal(), journal_name("1_1", 1), 0, "exec");
  const auto made = resume();
  ASSERT_TRUE(made);
  EXPECT_EQ(made->arrays[0].attempt, 2U);
}

// b and c are in the queue, and c waits for a, of which a file was deleted.
TEST_F(MissingJobsTest, AreThoseWhoseResultsAreLostAndWhatWaitsForThem) {
  submit();
  set_state("1", JobState::completed);
  const std::string file = (folder.path() / "model.h5").string();
  journal("1", events::Started{{"a", 0, 1}, "1", {7, 8, "n1"}},
          events::Committed{{"a", 0, 1}, {{{{"model", file, 5, "abc"}}, Json::object()}}});
  const auto made = resume();
  ASSERT_TRUE(made);
  ASSERT_EQ(made->arrays.size(), 3U);
  EXPECT_EQ(made->arrays[0].attempt, 2U);
  EXPECT_THAT(told, ElementsAre("a is made again: " + file + " is gone",
                                "submits anew what waited for jobs that are gone: 2 3"));
  EXPECT_FALSE(record().find("a", 0)->committed);
}

TEST_F(MissingJobsTest, AreNobodysWhileAnotherConductsTheRun) {
  const ConductorLock other(run.lock(), self_identity());
  EXPECT_THROW(submit(), RunIsLocked);
  EXPECT_THAT(cluster.calls, IsEmpty());
}

}  // namespace
}  // namespace kernmill
