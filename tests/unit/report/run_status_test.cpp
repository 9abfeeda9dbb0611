#include "kernmill/report/run_status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conductor_world.hpp"
#include "kernmill/report/run_summary.hpp"

namespace kernmill::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// An attempt that took two seconds.
AttemptRecord attempt(AttemptState state, const std::string& message = {}) {
  AttemptRecord record;
  record.number = 1;
  record.started = true;
  record.state = state;
  record.exit_code = state == AttemptState::failed ? 3 : 0;
  record.message = message;
  record.submitted_at = record.started_at = "2026-11-21T04:00:00.000Z";
  if (state != AttemptState::open) record.ended_at = "2026-11-21T04:00:02.000Z";
  return record;
}

InstanceRecord committed(Json metrics = Json::object()) {
  InstanceRecord record;
  record.attempts = {attempt(AttemptState::committed)};
  record.committed = true;
  record.metrics = std::move(metrics);
  return record;
}

InstanceRecord failed(const std::string& message) {
  InstanceRecord record;
  record.attempts = {attempt(AttemptState::failed, message)};
  return record;
}

//   prepare -> fit -> score
class StatusOfARun : public ::testing::Test {
 protected:
  RunStatus status(bool alive = false) {
    record.started_at = "2026-11-21T04:00:00.000Z";
    return run_status(run, plan, record,
                      {.alive = alive, .now = "2026-11-21T04:00:05.000Z", .everything = true});
  }
  RunDirectory run{"/runs/test-run"};
  Plan plan = plan_of_stages(
      {command_stage("prepare"), command_stage("fit", {"prepare"}), command_stage("score", {"fit"})});
  RunRecord record;
};

TEST_F(StatusOfARun, BlocksWhatIsBehindAFailure) {
  record.instances[{"prepare", 0}] = committed();
  record.instances[{"fit", 0}] = failed("not finite");
  record.outcome = "failed";
  const RunStatus now = status();
  EXPECT_EQ(now.state, "failed");
  EXPECT_EQ(now.stage("prepare")->word(), "done");
  EXPECT_EQ(now.stage("fit")->word(), "failed");
  EXPECT_EQ(now.stage("score")->word(), "blocked");
  EXPECT_DOUBLE_EQ(now.stage("fit")->took.count(), 2.0);
}

TEST_F(StatusOfARun, CallsAnOpenAttemptRunningOnlyWhileAConductorLives) {
  record.instances[{"prepare", 0}].attempts = {attempt(AttemptState::open)};
  EXPECT_EQ(status(/*alive=*/true).stage("prepare")->word(), "running");
  EXPECT_DOUBLE_EQ(status(/*alive=*/true).instances.front().took.count(), 5.0);
  EXPECT_EQ(status(/*alive=*/false).stage("prepare")->word(), "interrupted");
  EXPECT_EQ(status(/*alive=*/false).state, "dead");
}

TEST_F(StatusOfARun, SkipsWhatIsBehindASkippedInstance) {
  record.instances[{"prepare", 0}].skipped = true;
  EXPECT_EQ(status().stage("score")->word(), "skipped");
}

TEST_F(StatusOfARun, SaysOfAFailureAllThatOneNeedsToGoOn) {
  record.instances[{"prepare", 0}] = committed();
  record.instances[{"fit", 0}] = failed("not finite");
  record.outcome = "failed";
  const std::string text = failures_text(status(), Paint(false));
  EXPECT_THAT(text, HasSubstr("fit  error, exit status 3"));
  EXPECT_THAT(text, HasSubstr("not finite"));
  EXPECT_THAT(text, HasSubstr("/runs/test-run/stages/fit/0/attempt-1"));
  EXPECT_THAT(text, HasSubstr("kernmill logs test-run fit"));
  EXPECT_THAT(text, HasSubstr("blocked by that: score"));
  EXPECT_THAT(text, HasSubstr("finished: prepare"));
  EXPECT_THAT(closing_text(status(), Paint(false)), HasSubstr("kernmill resume test-run"));
}

TEST_F(StatusOfARun, ShowsTheMetricsOfItsResults) {
  record.instances[{"prepare", 0}] = committed();
  record.instances[{"fit", 0}] = committed();
  record.instances[{"score", 0}] = committed({{"accuracy", 29.0 / 30}, {"rows", 30}});
  record.outcome = "done";
  EXPECT_EQ(results_text(status()), "score  accuracy  0.9667\n       rows      30\n");
}

TEST_F(StatusOfARun, HasNoFailuresToShowWhenItIsDone) {
  for (const char* stage : {"prepare", "fit", "score"}) record.instances[{stage, 0}] = committed();
  record.outcome = "done";
  EXPECT_EQ(failures_text(status(), Paint(false)), "");
  EXPECT_THAT(closing_text(status(), Paint(false)), Not(HasSubstr("resume")));
}

TEST(FailuresOfASearch, NameTheSettingThatLetsItGoOn) {
  RunStatus status;
  StageStatus search;
  search.name = "search";
  search.kind = TaskKind::tune;
  search.instances = 3;
  search.count = {{State::finished, 1}, {State::failed, 1}, {State::blocked, 1}};
  status.stages = {search};
  InstanceStatus trial;
  trial.state = State::failed;
  status.instances = {trial};
  EXPECT_THAT(
      failures_text(status, Paint(false)),
      HasSubstr("blocked by that: search (1 of 3)\n"
                "  help: max_fails: N in 'search' lets its search go on without the trials that failed\n"));
}

TEST_F(StatusOfARun, AsJsonHasASchemaAndEveryStage) {
  record.instances[{"prepare", 0}] = committed({{"rows", 150}});
  const Json json = to_json(status());
  EXPECT_EQ(json.at("schema_version"), 1);
  EXPECT_EQ(json.at("stages").size(), 3U);
  EXPECT_EQ(json.at("stages")[0].at("metrics").at("rows"), 150);
  EXPECT_EQ(json.at("instances")[0].at("state"), "finished");
}

}  // namespace
}  // namespace kernmill::testing
