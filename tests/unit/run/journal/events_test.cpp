// Each event as it is written, and what is read of it.
#include "kernmill/run/journal/events.hpp"

#include <gtest/gtest.h>

#include "kernmill/run/journal/job_outcome.hpp"
#include "temporary_directory.hpp"

namespace kernmill {
namespace {

using events::Reason;
using events::Subject;

const Subject fit{"fit", 3, 1};
const ProcessIdentity process{11, 99, "n1"};
const Reason reason{Cause::oom, 137, 9, "too much"};

/// What is read of events that one process has written. The journal is read from files alone.
template <typename... Events>
RunRecord read_back(const Events&... written) {
  const testing::TemporaryDirectory directory;
  JournalWriter writer(directory.path(), "1", 0, "exec");
  writer.append_all({to_record(written)...});
  return fold_journal(directory.path());
}

template <typename... Events>
AttemptRecord attempt_after(const Events&... written) {
  const RunRecord record = read_back(written...);
  const InstanceRecord* instance = record.find("fit", 3);
  return instance == nullptr || instance->attempts.empty() ? AttemptRecord{} : instance->attempts.back();
}

template <typename... Events>
Generation generation_after(const Events&... written) {
  return read_back(written...).generations.at(2);
}

CommittedResult some_result() {
  return {{{{"model", "/runs/model.h5", 5, "abc"}}, {{"accuracy", 0.5}}}, "k", "/runs/old"};
}

TEST(Events, RunStartedSaysWhoConductsIt) {
  const events::RunStarted event{process, true, "slurm"};
  EXPECT_EQ(
      to_record(event).body,
      (Json{{"pid", 11}, {"start_time", 99}, {"host", "n1"}, {"resumed", true}, {"scheduler", "slurm"}}));
  EXPECT_FALSE(to_record(events::RunStarted{process}).body.contains("scheduler"));
  const RunRecord record = read_back(event);
  EXPECT_EQ(record.conductor.pid, 11);
  EXPECT_EQ(record.conductor.start_time, 99U);
  EXPECT_EQ(record.conductor.host, "n1");
  EXPECT_EQ(record.scheduler, "slurm");
}

TEST(Events, RunFinishedSaysHow) {
  EXPECT_EQ(to_record(events::RunFinished{"failed", 2}).body,
            (Json{{"outcome", "failed"}, {"generation", 2}}));
  EXPECT_EQ(to_record(events::RunFinished{"done"}).body, (Json{{"outcome", "done"}}));
  EXPECT_EQ(read_back(events::RunStarted{process}, events::RunFinished{"failed", 2}).outcome, "failed");
}

TEST(Events, SubmittingSaysWhatIsMeantToBeSent) {
  events::Submitting event{2, "kernmill:r:2", true, true, false};
  event.arrays = {{{"key", "fit.0"}}};
  EXPECT_EQ(to_record(event).body, (Json{{"generation", 2},
                                         {"token", "kernmill:r:2"},
                                         {"fail_fast", true},
                                         {"no_cache", true},
                                         {"hold", false},
                                         {"arrays", {{{"key", "fit.0"}}}}}));
  const Generation generation = generation_after(event);
  EXPECT_EQ(generation.number, 2U);
  EXPECT_EQ(generation.token, "kernmill:r:2");
  EXPECT_TRUE(generation.fail_fast);
  EXPECT_TRUE(generation.no_cache);
  EXPECT_EQ(generation.arrays.at("fit.0").plan, (Json{{"key", "fit.0"}}));
}

TEST(Events, ArraySubmittedNamesTheJob) {
  const events::ArraySubmitted array{2, "fit.0", "12"}, closing{2, "close", "13"};
  EXPECT_EQ(to_record(array).body, (Json{{"generation", 2}, {"array", "fit.0"}, {"job", "12"}}));
  const Generation generation = generation_after(array, closing);
  EXPECT_EQ(generation.arrays.at("fit.0").job, "12");
  EXPECT_EQ(generation.closing_job, "13");
}

TEST(Events, AGenerationIsAcceptedReleasedOrRolledBack) {
  EXPECT_EQ(to_record(events::Accepted{2}).body, (Json{{"generation", 2}}));
  EXPECT_TRUE(generation_after(events::Accepted{2}).accepted);
  EXPECT_TRUE(generation_after(events::Released{2}).released);
  EXPECT_EQ(to_record(events::RolledBack{2, "no room"}).body, (Json{{"generation", 2}, {"why", "no room"}}));
  EXPECT_TRUE(generation_after(events::RolledBack{2, "no room"}).rolled_back);
}

TEST(Events, SkippedSaysWhy) {
  const events::Skipped event{"fit", 3, "it is false"};
  EXPECT_EQ(to_record(event).body, (Json{{"stage", "fit"}, {"instance", 3}, {"why", "it is false"}}));
  const RunRecord record = read_back(event);
  EXPECT_TRUE(record.find("fit", 3)->skipped);
  EXPECT_EQ(record.find("fit", 3)->skip_reason, "it is false");
}

TEST(Events, AnAttemptKnowsItsNodeOrTheOneThatEndedIt) {
  const events::Started started{fit, "12_3", process, "", "n1"};
  EXPECT_EQ(attempt_after(started).node, "n1");
  const Reason failure{Cause::node_fail, 1, 0, "one of its nodes failed", "n2"};
  EXPECT_EQ(to_record(events::Failed{fit, failure}).body["node"], "n2");
  EXPECT_EQ(attempt_after(started, events::Failed{fit, failure}).failed_node, "n2");
  const events::Abandoned abandoned{fit, Cause::node_fail, "its node went down", "n2"};
  EXPECT_EQ(attempt_after(started, abandoned).failed_node, "n2");
  EXPECT_FALSE(to_record(events::Failed{fit, reason}).body.contains("node"));
  EXPECT_EQ(attempt_after(started, events::Failed{fit, reason}).node, "n1");
  EXPECT_EQ(attempt_after(started, events::Failed{fit, reason}).failed_node, "");
}

TEST(Events, SubmittedStartedAndStepStartedFollowAnAttempt) {
  EXPECT_EQ(to_record(events::Submitted{fit, "j", "new"}).body,
            (Json{{"stage", "fit"}, {"instance", 3}, {"attempt", 1}, {"job", "j"}, {"why", "new"}}));
  const AttemptRecord submitted = attempt_after(events::Submitted{fit, "j"});
  EXPECT_EQ(submitted.job, "j");
  EXPECT_FALSE(submitted.started);
  const AttemptRecord started = attempt_after(events::Started{fit, "12_3", process, "slot-1"});
  EXPECT_TRUE(started.started);
  EXPECT_EQ(started.job, "12_3");
  EXPECT_EQ(started.slot, "slot-1");
  EXPECT_EQ(started.exec.pid, 11);
  EXPECT_EQ(attempt_after(events::StepStarted{fit, process}).step.start_time, 99U);
}

TEST(Events, CommittedSaysWhatIsLeft) {
  const events::Committed event{fit, some_result()};
  EXPECT_EQ(to_record(event).body,
            (Json{{"stage", "fit"},
                  {"instance", 3},
                  {"attempt", 1},
                  {"metrics", {{"accuracy", 0.5}}},
                  {"artifacts", {to_json(Artifact{"model", "/runs/model.h5", 5, "abc"})}},
                  {"key", "k"},
                  {"cached_from", "/runs/old"}}));
  const RunRecord record = read_back(event);
  const InstanceRecord& instance = *record.find("fit", 3);
  EXPECT_TRUE(instance.committed);
  EXPECT_EQ(instance.metrics["accuracy"], 0.5);
  EXPECT_EQ(instance.artifacts.at(0).bytes, 5U);
  EXPECT_EQ(instance.attempts.at(0).key, "k");
  EXPECT_EQ(instance.attempts.at(0).cached_from, "/runs/old");
}

TEST(Events, WhatIsCommittedIsReadAsItWasWritten) {
  const JobOutcome outcome = outcome_of({to_record(events::Committed{fit, some_result()})});
  EXPECT_EQ(outcome.what, JobOutcome::What::committed);
  EXPECT_EQ(outcome.result.left.metrics, some_result().left.metrics);
  EXPECT_EQ(outcome.result.left.artifacts.at(0).path, "/runs/model.h5");
  EXPECT_EQ(outcome.result.key, "k");
  EXPECT_EQ(outcome.result.cached_from, "/runs/old");
}

TEST(Events, CommittedHasNoKeyWhereNobodyMayTakeItUp) {
  const Json body = to_record(events::Committed{fit}).body;
  EXPECT_EQ(body["metrics"], Json::object());
  EXPECT_EQ(body["artifacts"], Json::array());
  EXPECT_FALSE(body.contains("key"));
  EXPECT_FALSE(body.contains("cached_from"));
}

TEST(Events, AbandonedHasItsReason) {
  const AttemptRecord attempt = attempt_after(events::Abandoned{fit, Cause::node_fail, "found dead"});
  EXPECT_EQ(attempt.state, AttemptState::abandoned);
  EXPECT_EQ(attempt.cause, Cause::node_fail);
  EXPECT_EQ(attempt.message, "found dead");
  EXPECT_FALSE(to_record(events::Abandoned{fit, {}, "found dead"}).body.contains("cause"));
}

TEST(Events, AResultThatIsLostOpensItsInstanceAgain) {
  const events::ResultLost lost{fit, "/runs/model.h5 is gone"};
  EXPECT_EQ(to_record(lost).body,
            (Json{{"stage", "fit"}, {"instance", 3}, {"attempt", 1}, {"why", "/runs/model.h5 is gone"}}));
  const events::Started first{fit, "1", process};
  for (const RunRecord& record : {read_back(first, events::Committed{fit, some_result()}, lost),
                                  read_back(lost, first, events::Committed{fit, some_result()})}) {
    const InstanceRecord& instance = *record.find("fit", 3);
    EXPECT_FALSE(instance.committed);
    EXPECT_TRUE(instance.artifacts.empty());
    EXPECT_TRUE(instance.metrics.empty());
    EXPECT_EQ(instance.attempts.at(0).state, AttemptState::lost);
    EXPECT_EQ(instance.attempts.at(0).message, "/runs/model.h5 is gone");
  }
}

TEST(Events, WhatIsMadeAgainAfterALossCounts) {
  const Subject second{"fit", 3, 2};
  const RunRecord record = read_back(events::Started{second, "2", process}, events::Committed{second},
                                     events::ResultLost{fit, "gone"}, events::Started{fit, "1", process},
                                     events::Committed{fit, some_result()});
  EXPECT_TRUE(record.find("fit", 3)->committed);
  EXPECT_TRUE(record.find("fit", 3)->artifacts.empty()) << "those of the first attempt";
}

TEST(Events, FailedAndStoppedHaveTheirReason) {
  EXPECT_EQ(to_record(events::Failed{fit, reason}).body, (Json{{"stage", "fit"},
                                                               {"instance", 3},
                                                               {"attempt", 1},
                                                               {"cause", "oom"},
                                                               {"exit_code", 137},
                                                               {"signal", 9},
                                                               {"message", "too much"}}));
  const AttemptRecord failed = attempt_after(events::Failed{fit, reason});
  EXPECT_EQ(failed.state, AttemptState::failed);
  EXPECT_EQ(failed.cause, Cause::oom);
  EXPECT_EQ(failed.exit_code, 137);
  EXPECT_EQ(failed.message, "too much");
  const AttemptRecord stopped = attempt_after(events::Stopped{fit, {Cause::cancelled, {}, 0, "asked to"}});
  EXPECT_EQ(stopped.state, AttemptState::stopped);
  EXPECT_EQ(stopped.cause, Cause::cancelled);
}

TEST(Events, RetryingSaysWhatTheNextAttemptGets) {
  const AttemptRecord attempt = attempt_after(events::Retrying{fit, reason, 2.0, 1.5, false});
  EXPECT_EQ(attempt.state, AttemptState::retrying);
  EXPECT_EQ(attempt.mem_factor, 2.0);
  EXPECT_EQ(attempt.time_factor, 1.5);
  EXPECT_FALSE(attempt.counts);
  EXPECT_TRUE(attempt_after(events::Retrying{fit, reason}).counts) << "where nothing is said";
}

}  // namespace
}  // namespace kernmill
