// What is submitted when a stage has decided instances of others.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conductor_world.hpp"
#include "fake_cluster.hpp"
#include "kernmill/run/directory/plan_file.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/submit/missing_jobs.hpp"

namespace kernmill::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

struct Killed {};

Stage for_each_part(Stage stage) {
  stage.matrix.axes = {{"part", {}}};
  stage.matrix.later = {{{"part"}, false, "split", "parts"}};
  stage.order_only = {"split"};
  return stage;
}

//  split -> fit (one a part) -> collect     alone
class GrowthJobs : public ::testing::Test {
 protected:
  GrowthJobs() {
    write_plan_file(run, read_first());
    options.exec = "/bin/kernmill-exec";
    options.env = {{"PATH", "/bin"}};
    options.handed_over = [](const Stage& stage) {
      return std::vector<std::pair<std::string, std::string>>{{"OF_" + stage.name, "x"}};
    };
    options.submission.pause = [](std::chrono::milliseconds) {};
    options.take_ready_results = [](const Plan&, const RunRecord& record, JournalWriter&) { return record; };
    options.tell = [](const std::string&) {};
  }
  static Plan read_first() {
    return plan_of_stages({command_stage("split"), command_stage("alone"),
                           for_each_part(command_stage("fit", {"split"})),
                           command_stage("collect", {"fit"})});
  }
  [[nodiscard]] Plan plan() const { return read_plan_file(run).plan; }

  std::optional<SubmittedJobs> submit() { return submit_missing(run, plan(), cluster, {}, options); }
  /// As the growth job does.
  std::optional<SubmittedJobs> go_on(JournalWriter::Hook hook = {}) {
    options.resumed = options.growing = true;
    options.submission.release_from = 2;
    options.own_job = growth_job();
    options.hook = std::move(hook);
    return submit();
  }
  [[nodiscard]] std::string growth_job() const {
    return fold_journal(run.journal()).generations.at(1).arrays.at("grow+split").job;
  }
  void split_commits(const Json& parts) {
    JournalWriter writer(run.journal(), "1-g1", 0, "exec");
    writer.append(to_record(events::Started{{"split", 0, 1}, "1", {}}));
    writer.append(to_record(events::Committed{{"split", 0, 1}, {{{}, {{"parts", parts}}}}}));
    set_state("1", JobState::completed);
  }
  void set_state(const std::string& job, JobState state) {
    for (ClusterJob& one : cluster.known)
      if (one.id == job) one.state = state;
  }
  /// Names of the jobs that may still run.
  [[nodiscard]] std::vector<std::string> live() const {
    std::vector<std::string> names;
    for (const ClusterJob& job : cluster.known)
      if (is_live(job.state)) names.push_back(job.comment.substr(job.comment.find_last_of(':') + 1));
    std::sort(names.begin(), names.end());
    return names;
  }
  [[nodiscard]] const BatchJob& job_called(const std::string& name) const {
    return *std::find_if(cluster.submitted.rbegin(), cluster.submitted.rend(),
                         [&](const BatchJob& job) { return option_of(job, "job-name") == "test." + name; });
  }

  TemporaryDirectory folder;
  RunDirectory run = create_run_directory(folder.path(), "test", false);
  FakeCluster cluster;
  MissingJobsOptions options;
};

TEST_F(GrowthJobs, OneWaitsForTheStageThatDecidesAndTheClosingJobForIt) {
  submit();
  EXPECT_THAT(live(), ElementsAre("alone.0", "close", "grow+split", "split.0"));
  const BatchJob& growth = job_called("grow");
  EXPECT_EQ(option_of(growth, "dependency"), "afterok:1");
  EXPECT_EQ(option_of(growth, "hold"), "yes");
  EXPECT_THAT(growth.script, HasSubstr("--grow split --generation 1"));
  EXPECT_THAT(growth.env, Contains(std::pair<std::string, std::string>("OF_fit", "x")));
  EXPECT_THAT(option_of(job_called("end"), "dependency"), HasSubstr(growth_job()));
  EXPECT_THAT(cluster.calls, Contains("release " + growth_job()));
}

TEST_F(GrowthJobs, WhatIsDecidedIsSubmittedOnceAndNothingElseIs) {
  submit();
  set_state("2", JobState::failed);  // `alone` is nobody's concern here
  split_commits({"a", "b"});
  set_state(growth_job(), JobState::running);
  const auto made = go_on();
  ASSERT_TRUE(made.has_value());
  EXPECT_THAT(live(), ElementsAre("close", "collect.0", "fit.0", "grow+split"));
  EXPECT_EQ(option_of(job_called("fit"), "array"), "0-1");
  EXPECT_THAT(job_called("fit").env, Contains(std::pair<std::string, std::string>("OF_fit", "x")));
  EXPECT_THAT(cluster.calls, Not(Contains("cancel " + growth_job())));
  EXPECT_THAT(option_of(job_called("end"), "dependency"), Not(HasSubstr(growth_job())));
  EXPECT_FALSE(go_on().has_value());
  for (ClusterJob& job : cluster.known) job.state = JobState::cancelled;
  EXPECT_FALSE(go_on().has_value()) << "what somebody has cancelled is for a resume";
}

TEST_F(GrowthJobs, AnEmptyListLeavesWhatWaitsForIt) {
  submit();
  split_commits(Json::array());
  set_state(growth_job(), JobState::running);
  go_on();
  EXPECT_THAT(live(), ElementsAre("alone.0", "close", "collect.0", "grow+split"));
}

TEST_F(GrowthJobs, AListThatCannotBeUsedIsJournalledAsTheFailureOfItsStage) {
  submit();
  split_commits(7);
  set_state(growth_job(), JobState::running);
  EXPECT_FALSE(go_on().has_value());
  const RunRecord record = fold_journal(run.journal());
  ASSERT_NE(record.find("fit", 0), nullptr);
  EXPECT_THAT(record.find("fit", 0)->attempts.back().message, HasSubstr("not a list"));
}

TEST_F(GrowthJobs, AResumeSubmitsTheGrowthJobAnewWhereItIsGone) {
  submit();
  set_state(growth_job(), JobState::cancelled);
  options.resumed = true;
  ASSERT_TRUE(submit().has_value());
  EXPECT_THAT(live(), ElementsAre("alone.0", "close", "grow+split", "split.0"));
  EXPECT_EQ(option_of(job_called("grow"), "dependency"), "afterany:1");
  EXPECT_FALSE(submit().has_value());
}

// Killed at each boundary of its journal, and started again by Slurm.
TEST(GrowthJob, KilledAnywhereSubmitsEachInstanceOnce) {
  struct World : GrowthJobs {
    void TestBody() override {}
    bool killed_at(int boundary) {
      submit();
      split_commits({"a", "b"});
      set_state(growth_job(), JobState::running);
      int passed = 0;
      try {
        go_on([&](const Record&, bool) {
          if (++passed == boundary) throw Killed{};
        });
        return false;
      } catch (const Killed&) {
        go_on();
        return true;
      }
    }
    void expect_whole() {
      for (const ClusterJob& job : cluster.known) {
        EXPECT_FALSE(is_live(job.state) && job.held) << job.comment;
      }
      EXPECT_THAT(live(), ElementsAre("alone.0", "close", "collect.0", "fit.0", "grow+split"));
    }
  };
  int boundary = 1;
  for (;; ++boundary) {
    SCOPED_TRACE("boundary " + std::to_string(boundary));
    World world;
    if (!world.killed_at(boundary)) break;
    world.expect_whole();
  }
  EXPECT_GT(boundary, 10);
}

}  // namespace
}  // namespace kernmill::testing
