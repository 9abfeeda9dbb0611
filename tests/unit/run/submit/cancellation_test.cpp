#include "kernmill/run/submit/cancellation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conductor_world.hpp"
#include "fake_cluster.hpp"
#include "kernmill/run/conductor/conductor_lock.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/submit/missing_jobs.hpp"
#include "kernmill/run/submit/removal.hpp"
#include "kernmill/run/submit/settling.hpp"

namespace kernmill {
namespace {

using std::chrono::milliseconds;
using testing::command_stage;
using ::testing::ElementsAre;
using testing::FakeCluster;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::plan_of_stages;
using testing::TemporaryDirectory;

/// A run of `a` and, after it, `b`.
class CancellationTest : public ::testing::Test {
 protected:
  CancellationTest() {
    jobs.exec = "/bin/kernmill-exec";
    jobs.submission.pause = [](milliseconds) {};
    jobs.take_ready_results = [](const Plan&, const RunRecord& record, JournalWriter&) { return record; };
    jobs.tell = [](const std::string&) {};
    options.pause = [this](milliseconds) {
      if (during_pause) during_pause();
    };
    options.patience = milliseconds(5'000);
  }

  void submit() { submit_missing(run, plan, cluster, {}, jobs); }
  void resume() {
    jobs.resumed = true;
    submit();
  }
  Cancellation cancel() {
    JournalWriter journal(run.journal(), "cancel", cancels++, "submit");
    return cancel_jobs(run, cluster, journal, options);
  }
  [[nodiscard]] std::size_t live() const { return live_jobs(run, cluster.known).size(); }
  [[nodiscard]] RunRecord record() const { return fold_journal(run.journal()); }
  [[nodiscard]] std::string why_it_stays() {
    return kernmill::why_it_stays(run, [this]() -> Cluster& { return cluster; });
  }
  std::string remove() {
    return remove_run(run, self_identity(), [this]() -> Cluster& { return cluster; });
  }

  TemporaryDirectory folder;
  RunDirectory run = create_run_directory(folder.path(), "test", false);
  Plan plan = plan_of_stages({command_stage("a"), command_stage("b", {"a"})});
  FakeCluster cluster;
  MissingJobsOptions jobs;
  CancellationOptions options;
  std::function<void()> during_pause;
  unsigned cancels = 0;
};

TEST_F(CancellationTest, EndsWhatWaitsForOthersFirst) {
  submit();
  cluster.calls.clear();
  const Cancellation done = cancel();
  EXPECT_EQ(done.jobs, 3U);
  EXPECT_THAT(done.still_ending, IsEmpty());
  EXPECT_THAT(cluster.calls, ElementsAre("cancel 3", "cancel 2", "cancel 1"));
  EXPECT_EQ(record().outcome, "cancelled");
}

TEST_F(CancellationTest, GoesByTheCommentWhateverTheJournalKnows) {
  submit();
  cluster.known.resize(1);
  cluster.known[0].comment = array_comment(run.name(), 9, "x.0");
  EXPECT_EQ(cancel().jobs, 1U);
  EXPECT_EQ(live(), 0U);
}

TEST_F(CancellationTest, HasStoppedARunOnlyWhenTheClusterSaysSo) {
  submit();
  cluster.lingers = true;
  cluster.known[0].state = JobState::running;
  int looks = 0;
  during_pause = [&] {
    if (++looks == 3) cluster.known[0].state = JobState::cancelled;
    EXPECT_EQ(record().outcome, "");
  };
  EXPECT_THAT(cancel().still_ending, IsEmpty());
  EXPECT_EQ(looks, 3);
  EXPECT_EQ(record().outcome, "cancelled");
}

TEST_F(CancellationTest, SaysWhatHasNotEndedWhenPatienceIsOver) {
  submit();
  cluster.lingers = true;
  cluster.known[0].state = JobState::running;
  EXPECT_THAT(cancel().still_ending, ElementsAre("1"));
  EXPECT_EQ(record().outcome, "");
  cluster.known[0].state = JobState::cancelled;
  cancel();
  EXPECT_EQ(record().outcome, "cancelled");
}

TEST_F(CancellationTest, EndsAJobThatComesBackToTheQueue) {
  submit();
  cluster.lingers = true;
  cluster.known[0].state = JobState::running;
  bool back = false;
  during_pause = [&] {
    if (!std::exchange(back, true)) cluster.known[0].state = JobState::pending;
  };
  EXPECT_THAT(cancel().still_ending, IsEmpty());
  EXPECT_EQ(live(), 0U);
}

TEST_F(CancellationTest, WaitsForARequestThatSomebodyKilledHadSent) {
  struct Killed {};
  jobs.hook = [](const Record& record, bool durable) {
    if (record.event == "array_submitted" && durable) throw Killed{};
  };
  EXPECT_THROW(submit(), Killed);
  ClusterJob late = cluster.known[0];
  late.id = "2";
  late.comment = array_comment(run.name(), 1, "b.0");
  during_pause = [&] {
    if (cluster.known.size() == 1) cluster.known.push_back(late);
  };
  EXPECT_EQ(cancel().jobs, 2U);
  EXPECT_EQ(live(), 0U);
  EXPECT_TRUE(record().generations.at(1).rolled_back);
}

TEST_F(CancellationTest, DoesNotSayThatARunHasStoppedWhenNobodyAnswers) {
  submit();
  cluster.is_down = true;
  EXPECT_THROW(cancel(), ClusterError);
  EXPECT_EQ(record().outcome, "");
}

TEST_F(CancellationTest, OfARunThatIsDoneChangesNothing) {
  submit();
  for (ClusterJob& job : cluster.known) job.state = JobState::completed;
  JournalWriter(run.journal(), "3", 0, "close")
      .append(to_record(events::RunFinished{"done", 1, record().life}));
  EXPECT_EQ(cancel().jobs, 0U);
  EXPECT_EQ(record().outcome, "done");
}

TEST_F(CancellationTest, AWishEndsASubmissionThatIsUnderWay) {
  jobs.hook = [this](const Record& record, bool durable) {
    if (record.event == "array_submitted" && durable) wish_to_cancel(run);
  };
  EXPECT_THROW(submit(), SubmissionCancelled);
  EXPECT_EQ(live(), 0U);
  EXPECT_TRUE(record().generations.at(1).rolled_back);
  cancel();
  jobs.hook = {};
  resume();
  EXPECT_EQ(live(), 3U) << "what was wished before does not concern it";
}

TEST_F(CancellationTest, TwoInARowAreNoError) {
  submit();
  EXPECT_EQ(cancel().jobs, 3U);
  EXPECT_EQ(cancel().jobs, 0U);
  EXPECT_EQ(record().outcome, "cancelled");
}

using RemovalTest = CancellationTest;

TEST_F(RemovalTest, OfARunWithJobsInTheQueueIsRefused) {
  submit();
  EXPECT_THAT(why_it_stays(), HasSubstr("3 jobs of it are in the queue or running"));
  EXPECT_THAT(remove(), HasSubstr("3 jobs of it are in the queue or running"));
  EXPECT_TRUE(std::filesystem::exists(run.journal()));
  cancel();
  EXPECT_EQ(why_it_stays(), "");
  EXPECT_EQ(remove(), "");
  EXPECT_FALSE(std::filesystem::exists(run.root()));
}

TEST_F(RemovalTest, OfARunWhoseClusterDoesNotAnswerIsRefused) {
  submit();
  cancel();
  cluster.is_down = true;
  EXPECT_THAT(remove(), HasSubstr("the cluster does not say whether jobs of it are left"));
  EXPECT_TRUE(std::filesystem::exists(run.journal()));
}

TEST_F(RemovalTest, AsksNoClusterAboutARunThatWasNeverSubmitted) {
  cluster.is_down = true;
  EXPECT_EQ(remove(), "");
  EXPECT_FALSE(std::filesystem::exists(run.root()));
}

TEST_F(RemovalTest, LooksOnceMoreUnderTheLock) {
  EXPECT_EQ(why_it_stays(), "");
  submit();
  EXPECT_NE(remove(), "");
  EXPECT_TRUE(std::filesystem::exists(run.journal()));
}

TEST_F(RemovalTest, OfARunThatSomebodyStartsJustNowIsRefused) {
  std::string why;
  const RunDirectory made =
      create_run_directory(folder.path(), "new", false, [&](const RunDirectory& hidden) {
        EXPECT_EQ(list_runs(folder.path()).size(), 1U) << "nobody finds it before it is conducted";
        const ConductorLock lock(hidden.lock(), self_identity());
        why = remove_run(hidden, self_identity(), [this]() -> Cluster& { return cluster; });
      });
  EXPECT_EQ(why, "it is running");
  EXPECT_EQ(list_runs(folder.path()).size(), 2U);
}

}  // namespace
}  // namespace kernmill
