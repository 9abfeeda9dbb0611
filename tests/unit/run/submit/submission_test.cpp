#include "kernmill/run/submit/submission.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conductor_world.hpp"
#include "fake_cluster.hpp"
#include "kernmill/run/submit/settling.hpp"

namespace kernmill {
namespace {

using testing::command_stage;
using ::testing::ElementsAre;
using testing::FakeCluster;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::option_of;
using testing::plan_of_stages;
using testing::TemporaryDirectory;
using testing::with_instances;
using Kind = ClusterError::Kind;

struct Killed {};

/// A run of three stages, one of them an array, on its way to a fake cluster.
class SubmissionTest : public ::testing::Test {
 protected:
  SubmissionTest() {
    options.pause = [this](std::chrono::milliseconds time) { waited += time; };
    context.env = {{"PATH", "/bin"}};
  }

  Submission submit(const JournalWriter::Hook& hook = {}) {
    const auto journal = submission_journal(run, context.generation, hook);
    return submit_jobs(context, plan, plan_jobs(plan, {}), cluster, *journal, options);
  }
  std::vector<std::string> settle() {
    JournalWriter journal(run.journal(), "settle", settled++, "submit");
    auto jobs = cluster.jobs();
    return settle_submissions(run, fold_journal(run.journal()), cluster, jobs, journal, options);
  }
  std::string rejection() {
    try {
      submit();
    } catch (const ClusterError& error) {
      return error.what();
    }
    return "accepted";
  }
  [[nodiscard]] Generation generation() const { return fold_journal(run.journal()).generations.at(1); }
  [[nodiscard]] std::size_t live() const { return live_jobs(run, cluster.known).size(); }

  TemporaryDirectory folder;
  RunDirectory run = create_run_directory(folder.path(), "test", false);
  Plan plan = plan_of_stages(
      {command_stage("a"), with_instances(command_stage("b", {"a"}), 3), command_stage("c", {"b"})});
  FakeCluster cluster;
  SubmissionOptions options;
  std::chrono::milliseconds waited{0};
  unsigned settled = 0;
  SubmissionContext context{.run = run, .generation = 1, .exec = "/bin/kernmill-exec", .env = {}};
};

TEST_F(SubmissionTest, SendsParentsFirstAndReleasesRootsLast) {
  const Submission result = submit();
  EXPECT_THAT(cluster.calls, ElementsAre("submit 1 test.a", "submit 2 test.b", "submit 3 test.c",
                                         "submit 4 test.end", "release 1"));
  EXPECT_EQ(option_of(cluster.submitted[1], "dependency"), "afterok:1");
  EXPECT_EQ(option_of(cluster.submitted[3], "dependency"), "afterany:1:2:3");
  EXPECT_EQ(result.job_of.at("b.0"), "2");
  EXPECT_EQ(result.closing_job, "4");
  EXPECT_TRUE(generation().accepted);
  EXPECT_TRUE(generation().released);
  EXPECT_EQ(generation().arrays.at("c.0").job, "3");
}

TEST_F(SubmissionTest, AsksOncePerArrayAndForNothingElse) {
  submit();
  EXPECT_EQ(cluster.queries, 0);
}

TEST_F(SubmissionTest, LeavesTheRootsHeldOnRequest) {
  options.hold = true;
  submit();
  EXPECT_TRUE(cluster.known[0].held);
  EXPECT_FALSE(generation().released);
}

TEST_F(SubmissionTest, ARejectionLeavesNothingInTheQueue) {
  cluster.mishaps = {std::nullopt, FakeCluster::Mishap{Kind::rejected}};
  EXPECT_THAT(rejection(), HasSubstr("array b.0: a mishap\nNothing was left in the queue"));
  EXPECT_EQ(live(), 0U);
  EXPECT_TRUE(generation().rolled_back);
}

TEST_F(SubmissionTest, WaitsForRoomAndGoesOn) {
  cluster.mishaps = {FakeCluster::Mishap{Kind::busy}, FakeCluster::Mishap{Kind::busy}};
  submit();
  EXPECT_GT(waited.count(), 0);
  EXPECT_EQ(live(), 4U);
}

TEST_F(SubmissionTest, GivesUpWhenThereIsNoRoomForTooLong) {
  cluster.mishaps.resize(1);
  for (int i = 0; i < 100; ++i) cluster.mishaps.emplace_back(FakeCluster::Mishap{Kind::busy});
  EXPECT_THAT(rejection(), HasSubstr("Nothing was left in the queue"));
  EXPECT_EQ(waited, options.timeout);
  EXPECT_EQ(live(), 0U);
}

TEST_F(SubmissionTest, AJobWhoseAnswerWasLostIsFoundByItsComment) {
  cluster.mishaps = {std::nullopt, FakeCluster::Mishap{Kind::unavailable, /*carried_out=*/true}};
  const Submission result = submit();
  EXPECT_EQ(result.job_of.at("b.0"), "2");
  EXPECT_EQ(live(), 4U);
}

TEST_F(SubmissionTest, ARequestThatGotLostIsSentAgain) {
  cluster.mishaps = {std::nullopt, FakeCluster::Mishap{Kind::unavailable, /*carried_out=*/false}};
  submit();
  EXPECT_EQ(live(), 4U);
}

TEST_F(SubmissionTest, WhatCouldNotBeCancelledIsNotForgotten) {
  options.pause = [this](std::chrono::milliseconds) { cluster.is_down = true; };
  cluster.mishaps = {std::nullopt, FakeCluster::Mishap{Kind::unavailable, /*carried_out=*/true}};
  EXPECT_THAT(rejection(), HasSubstr("`kernmill resume " + run.name() + "` cancels them"));
  EXPECT_FALSE(generation().rolled_back);
  cluster.is_down = false;
  options.pause = [](std::chrono::milliseconds) {};
  EXPECT_THAT(settle(), ElementsAre("cancelled 2 jobs of a submission that had ended halfway"));
  EXPECT_EQ(live(), 0U);
  EXPECT_TRUE(generation().rolled_back);
}

// Killed before or after each of its records became durable: what is left is settled, no job runs twice, none
// is lost.
TEST_F(SubmissionTest, KilledAtAnyRecordItIsSettledLater) {
  for (int boundary = 0;; ++boundary) {
    run = create_run_directory(folder.path(), "test", false);
    context.run = run;
    cluster.known.clear();
    int seen = 0;
    bool killed = false;
    try {
      submit([&](const Record&, bool) {
        if (seen++ == boundary) throw Killed{};
      });
    } catch (const Killed&) {
      killed = true;
    }
    if (!killed) {
      EXPECT_GT(boundary, 12);
      return;
    }
    settle();
    const RunRecord record = fold_journal(run.journal());
    const bool accepted = !record.generations.empty() && generation().accepted;
    EXPECT_EQ(live(), accepted ? 4U : 0U) << "killed at boundary " << boundary;
    EXPECT_FALSE(accepted && cluster.known[0].held) << "killed at boundary " << boundary;
    EXPECT_THAT(settle(), IsEmpty()) << "killed at boundary " << boundary;
  }
}

// A request that was on its way when its sender was killed is carried out after everything was settled.
TEST_F(SubmissionTest, AJobOfAGenerationThatWasRolledBackIsCancelledWheneverItShowsUp) {
  cluster.mishaps = {std::nullopt, FakeCluster::Mishap{Kind::rejected}};
  rejection();
  cluster.known[0].state = JobState::pending;
  EXPECT_THAT(settle(), ElementsAre("cancelled 1 job of a submission that had ended halfway"));
  EXPECT_EQ(live(), 0U);
  cluster.known[0].state = JobState::pending;
  cluster.known[0].comment = array_comment(run.name(), 8, "a.0");
  EXPECT_THAT(settle(), ElementsAre("cancelled 1 job of a submission that had ended halfway"));
}

TEST_F(SubmissionTest, JobsThatAreHeldAfterTheirReleaseAreReleasedAgain) {
  submit();
  cluster.known[0].held = true;
  cluster.change_part("2_1", [](ClusterJob& element) {
    element.held = true;
    element.reason = "launch failed requeued held";
  });
  cluster.calls.clear();
  EXPECT_THAT(settle(), ElementsAre("released 2 jobs that had been held since then"));
  EXPECT_THAT(cluster.calls, ElementsAre("release 1", "release 2_1"));
  EXPECT_THAT(settle(), IsEmpty());
}

TEST_F(SubmissionTest, AJobThatMayNotBeReleasedIsNamedWithAWayOut) {
  submit();
  cluster.known[0].held = true;
  cluster.known[0].reason = "JobHeldAdmin";
  cluster.refuses_release = true;
  const auto lines = settle();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], HasSubstr("job 1 is held (JobHeldAdmin)"));
  EXPECT_THAT(lines[0], HasSubstr("scontrol release 1"));
}

TEST_F(SubmissionTest, AGenerationIsMadeOnce) {
  submit();
  EXPECT_THROW(submission_journal(run, 1), std::system_error);
}

}  // namespace
}  // namespace kernmill
