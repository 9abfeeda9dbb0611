// Submissions, resumes, cancels and removals of one run that come in each other's way, on a real cluster.
#include <chrono>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "submit_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

constexpr const char* waits_for_go = R"(
  one: {run: 'until test -e go; do sleep 0.2; done'}
  two: {needs: one, run: echo two >> log}
)";

std::unique_ptr<Program> start(const SubmitWorld& world, const std::vector<std::string>& words) {
  Invocation invocation{{KERNMILL}, world.path(), {{"KERNMILL_SLURM_PLUGIN", KERNMILL_SLURM_PLUGIN_FILE}}};
  invocation.argv.insert(invocation.argv.end(), words.begin(), words.end());
  return std::make_unique<Program>(invocation);
}

TEST(Generations, ResumeMayBeCalledAgainAndAgainWhileJobsAreQueued) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(waits_for_go);
  world.submit();
  for (int i = 0; i < 3; ++i) {
    const Finished resumed = world.kernmill({"resume"});
    EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
    EXPECT_THAT(resumed.err, HasSubstr("nothing to submit"));
  }
  world.slurm().run({"touch", "go"});
  EXPECT_EQ(world.outcome(), "done");
}

TEST(Generations, RunsWithJobsAreNotRemoved) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(waits_for_go);
  const RunDirectory run = world.submit({"--hold"});
  const auto expect_kept = [&](const std::vector<std::string>& words, const std::string& why) {
    const Finished cleaned = world.kernmill(words);
    EXPECT_THAT(cleaned.out, HasSubstr(why)) << cleaned.err;
    EXPECT_TRUE(std::filesystem::exists(run.plan()));
  };
  expect_kept({"clean", "last", "--yes"}, "3 jobs of it are in the queue or running");
  EXPECT_THAT(world.kernmill({"resume", "--scheduler", "local"}).err,
              HasSubstr("end them with kernmill cancel"));
  EXPECT_EQ(world.kernmill({"resume"}).exit_code, 0);
  world.wait_for_start("one");
  expect_kept({"clean", "--keep", "0", "--yes"}, "3 jobs of it are in the queue or running");
  world.slurm().cluster({"stop-controller"});
  expect_kept({"clean", "last", "--yes"}, "the cluster does not say whether jobs of it are left");
  world.slurm().cluster({"start-controller"});
  EXPECT_EQ(world.kernmill({"cancel"}).exit_code, 0);
  EXPECT_EQ(world.queue(), "") << "it says that it has stopped once it has";
  EXPECT_THAT(world.kernmill({"clean", "last", "--yes"}).out, HasSubstr("removed"));
  EXPECT_FALSE(std::filesystem::exists(run.root()));
}

TEST(Generations, TwoWhoCancelAtOnceLeaveNoJob) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  std::string stages = "  s0: {run: sleep 300}\n";
  for (int i = 1; i < 30; ++i) {
    stages += "  s" + std::to_string(i) + ": {needs: s";
    stages += std::to_string(i - 1) + ", run: 'true'}\n";
  }
  world.workflow(stages);
  world.submit();
  world.wait_for_start("s0");
  const auto first = start(world, {"cancel"}), second = start(world, {"cancel"});
  const Finished one = first->wait(), other = second->wait();
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(other.exit_code, 0) << other.err;
  EXPECT_EQ(world.queue(), "");
  EXPECT_EQ(world.record().outcome, "cancelled");
}

// At several moments of the submission.
TEST(Generations, CancelWhileItIsSubmittedLeavesNoJob) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  std::string stages = "  s0: {run: sleep 300}\n";
  for (int i = 1; i < 60; ++i) {
    stages += "  s" + std::to_string(i) + ": {needs: s";
    stages += std::to_string(i - 1) + ", run: 'true'}\n";
  }
  world.workflow(stages);
  for (const unsigned wanted : {0U, 1U, 10U, 40U}) {
    std::size_t before =
        std::filesystem::exists(world.path() / "runs") ? list_runs(world.path() / "runs").size() : 0;
    const auto submit = start(world, {"submit", "flow.yaml"});
    wait_until("the submission", [&] {
      if (!std::filesystem::exists(world.path() / "runs")) return false;
      const auto runs = list_runs(world.path() / "runs");
      if (runs.size() <= before) return false;
      if (wanted == 0) return true;
      const RunRecord record = fold_journal(runs.back().journal());
      if (record.generations.empty()) return false;
      unsigned sent = 0;
      for (const auto& [key, array] : record.generations.begin()->second.arrays)
        sent += array.job.empty() ? 0 : 1;
      return sent >= wanted;
    });
    const Finished cancelled = start(world, {"cancel"})->wait();
    EXPECT_EQ(cancelled.exit_code, 0) << cancelled.err;
    EXPECT_EQ(world.queue(), "") << "when " << wanted << " were sent";
    EXPECT_THAT(submit->wait().exit_code, AnyOf(0, 130));
    EXPECT_EQ(world.queue(), "") << "when " << wanted << " were sent";
    EXPECT_EQ(world.record().outcome, "cancelled");
  }
}

TEST(Generations, JobIdsThatAreGivenOutAgainAreNoHindrance) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  one: {matrix: {i: [0, 1]}, run: test -e go}
  two: {needs: one, run: echo two >> log}
)");
  world.submit();
  EXPECT_EQ(world.outcome(), "failed");
  const std::string job = world.job_of("one");
  wait_until("an empty queue", [&] { return world.queue().empty(); });
  world.slurm().cluster({"lose-state"});
  world.slurm().run({"touch", "go"});
  const Finished resumed = world.kernmill({"resume"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(world.job_of("one"), job) << "the same id once more";
  EXPECT_EQ(world.outcome(), "done");
  EXPECT_THAT(world.lines("log"), ElementsAre("two"));
}

TEST(Generations, JobsThatAreHeldLaterAreNotWaitedForForEverAndReleasedByResume) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(waits_for_go);
  const auto waiting = start(world, {"submit", "flow.yaml", "--wait", "--quiet"});
  wait_until("a run", [&] {
    return std::filesystem::exists(world.path() / "runs") && !list_runs(world.path() / "runs").empty();
  });
  world.wait_for_start("one");
  world.slurm().run({"scontrol", "requeuehold", world.job_of("one")});
  const Finished waited = waiting->wait();
  EXPECT_EQ(waited.exit_code, 1);
  EXPECT_THAT(waited.err, HasSubstr("not waiting any longer: a job is held"));
  EXPECT_THAT(world.kernmill({"status"}).out, HasSubstr("kernmill resume"));
  world.slurm().run({"touch", "go"});
  const Finished resumed = world.kernmill({"resume"});
  EXPECT_THAT(resumed.err, HasSubstr("released 1 job that had been held since then"));
  EXPECT_EQ(world.outcome(), "done");
}

TEST(Generations, WhatWaitsForAnElementThatSomebodyCancelledIsSubmittedAgainWithIt) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world({.nodes = 1});
  world.workflow(R"(
  many:
    matrix: {i: [0, 1, 2]}
    resources: {cpus_per_task: 4}
    run: 'until test -e go; do sleep 0.2; done; echo many$KERNMILL_MATRIX_I >> log'
  each: {needs: many, matrix: {i: [0, 1, 2]}, run: echo each$KERNMILL_MATRIX_I >> log}
  last: {needs: each, run: echo last >> log}
)");
  world.submit();
  world.wait_for_start("many", 0);
  world.slurm().run({"scancel", world.job_of("many") + "_2"});
  const Finished resumed = world.kernmill({"resume"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  world.slurm().run({"touch", "go"});
  EXPECT_EQ(world.outcome(), "done");
  EXPECT_THAT(world.lines("log"),
              UnorderedElementsAre("many0", "many1", "many2", "each0", "each1", "each2", "last"));
}

}  // namespace
}  // namespace kernmill::testing
