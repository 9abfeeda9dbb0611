// What befalls jobs on a real cluster, each fault by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/run/conductor/conductor_lock.hpp"
#include "submit_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

void expect_empty_queue(const SubmitWorld& world) {
  wait_until("an empty queue", [&] { return world.queue().empty(); });
}

TEST(SlurmFault, AKilledRankEndsTheStepSoonAndSaysSo) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  ranks:
    resources: {ntasks: 2}
    run: '$KERNMILL_LAUNCH sh -c "test \$SLURM_PROCID = 0 || kill -9 \$\$; sleep 100"'
)");
  world.submit();
  EXPECT_EQ(world.outcome(std::chrono::seconds(60)), "failed");
  EXPECT_THAT(world.kernmill({"status"}).out, HasSubstr("signal 9"));
  expect_empty_queue(world);
}

TEST(SlurmFault, TheControllerIsRestartedInMidRun) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  one: {run: 'until test -e go; do sleep 0.2; done'}
  two: {needs: one, run: touch two}
)");
  world.submit();
  world.wait_for_start("one");
  world.slurm().cluster({"stop-controller"});
  EXPECT_THAT(world.kernmill({"status"}).out, HasSubstr("from the journal alone"));
  world.slurm().cluster({"start-controller"});
  world.slurm().run({"touch", "go"});
  EXPECT_EQ(world.outcome(), "done");
}

TEST(SlurmFault, AnInstanceThatEndsWhileTheControllerIsAwayIsNotLost) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  one: {run: 'until test -e go; do sleep 0.2; done'}
  two: {needs: one, run: touch two}
)");
  world.submit();
  world.wait_for_start("one");
  world.slurm().cluster({"stop-controller"});
  world.slurm().run({"touch", "go"});
  wait_until("the commit", [&] { return world.committed("one"); });
  world.slurm().cluster({"start-controller"});
  EXPECT_EQ(world.outcome(), "done");
}

TEST(SlurmFault, NothingIsSubmittedToAControllerThatIsDown) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow("  one: {run: touch one}\n");
  world.slurm().cluster({"stop-controller"});
  const Finished finished = world.kernmill({"submit", "flow.yaml"});
  EXPECT_EQ(finished.exit_code, 3);
  EXPECT_THAT(finished.err, HasSubstr("error: "));
  world.slurm().cluster({"start-controller"});
  world.submit();
  EXPECT_EQ(world.outcome(), "done");
}

TEST(SlurmFault, SomebodyCancelsAJobFromOutside) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  one: {run: 'test -e go || sleep 300'}
  two: {needs: one, run: touch two}
  other: {run: touch other}
)");
  world.submit();
  world.wait_for_start("one");
  world.slurm().run({"scancel", world.job_of("one")});
  EXPECT_NE(world.outcome(), "done");
  EXPECT_FALSE(world.committed("two"));
  EXPECT_TRUE(world.committed("other"));
  expect_empty_queue(world);
  world.slurm().run({"touch", "go"});
  ASSERT_EQ(world.kernmill({"resume"}).exit_code, 0);
  wait_until("the second end", [&] { return world.record().outcome == "done"; });
}

TEST(SlurmFault, OutOfMemoryIsTriedAgainWithMore) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  hungry:
    resources: {mem: 60M}
    retries: {max: 2, on: [oom], mem: x10}
    run: |
      echo $KERNMILL_ATTEMPT >> attempts
      # the first goes on until Slurm has seen it, however seldom it comes to look on a busy machine
      python3 -c 'import os, time; room = bytearray(150 << 20); time.sleep(600 if os.environ["KERNMILL_ATTEMPT"] == "1" else 0)'
)");
  world.submit();
  EXPECT_EQ(world.outcome(), "done");
  EXPECT_THAT(world.lines("attempts"), ElementsAre("1", "2"));
  const auto attempts = world.record().find("hungry", 0)->attempts;
  EXPECT_EQ(attempts.front().cause, Cause::oom);
}

TEST(SlurmFault, OutOfMemoryWithoutRetriesIsSaidToBeThat) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  hungry:
    resources: {mem: 60M}
    run: python3 -c 'import time; room = bytearray(150 << 20); time.sleep(60)'
)");
  world.submit();
  EXPECT_EQ(world.outcome(), "failed");
  EXPECT_THAT(
      world.kernmill({"status"}).out,
      AllOf(HasSubstr("oom"), ContainsRegex("it had 60M, .*--set hungry.resources.mem=[1-9][0-9]+M")));
  EXPECT_THAT(world.kernmill({"explain", "last", "hungry.0"}).out,
              AllOf(HasSubstr("failed (oom)"), HasSubstr("peak memory "), HasSubstr(" of 60 MiB")));
}

/// Submits an instance that waits until its second attempt, and waits until it has started.
void submit_patient(SubmitWorld& world, const std::string& partition) {
  world.workflow(R"(
  patient:
    resources: {partition: )" +
                 partition + R"(, ntasks: 1}
    run: echo first >> log; until test -e go; do sleep 0.2; done
    restart: echo again >> log
  after: {needs: patient, run: touch after}
)");
  world.submit();
  world.wait_for_start("patient");
}

TEST(SlurmFault, APreemptedInstanceGoesOnWhereItsJobIsToBeCancelled) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world(
      {.extra =
           "PartitionName=brittle Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=CANCEL\n"});
  submit_patient(world, "brittle");
  world.slurm().run({"sbatch", "-p", "main", "-N4", "--exclusive", "--wrap", "true", "-o", "/dev/null"});
  EXPECT_EQ(world.outcome(), "done");
  EXPECT_THAT(world.lines("log"), ElementsAre("first", "again"));
  EXPECT_EQ(world.record().find("patient", 0)->attempts.front().cause, Cause::preempted);
}

TEST(SlurmFault, APreemptedInstanceGoesOnUnderItsJob) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  submit_patient(world, "low");
  const std::string job = world.job_of("patient");
  world.slurm().run({"sbatch", "-p", "main", "-N4", "--exclusive", "--wrap", "sleep 3", "-o", "/dev/null"});
  EXPECT_EQ(world.outcome(), "done");
  EXPECT_THAT(world.lines("log"), ElementsAre("first", "again"));
  EXPECT_EQ(world.record().find("patient", 0)->attempts.back().job, job);
}

TEST(SlurmFault, AFullQueueLeavesNothingBehind) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world({.extra = "MaxJobCount=8"});
  world.workflow(R"(
  one: {matrix: {i: [1, 2, 3, 4, 5]}, run: 'true'}
  two: {needs: one, matrix: {i: [1, 2, 3, 4, 5]}, run: 'true'}
)");
  const Finished finished = world.kernmill({"submit", "flow.yaml", "--patience", "1"});
  EXPECT_EQ(finished.exit_code, 3) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("Nothing was left in the queue"));
  expect_empty_queue(world);
  EXPECT_TRUE(world.record().generations.at(1).rolled_back);
}

TEST(SlurmFault, AParentThatTheControllerHasForgottenIsNoHindrance) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world({.extra = "MinJobAge=2"});
  world.workflow(R"(
  one: {run: echo one >> log}
  two: {needs: one, run: 'echo two >> log; test -e go'}
)");
  world.submit();
  EXPECT_EQ(world.outcome(), "failed");
  const auto cluster = SlurmWorld::open();
  wait_until(
      "the controller to forget", [&] { return cluster->jobs().empty(); }, std::chrono::seconds(180));
  world.slurm().run({"touch", "go"});
  ASSERT_EQ(world.kernmill({"resume"}).exit_code, 0);
  wait_until("the second end", [&] { return world.record().outcome == "done"; });
  EXPECT_THAT(world.lines("log"), ElementsAre("one", "two", "two"));
}

TEST(SlurmFault, TheSecondOfTwoPeopleWhoResumeIsTold) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow("  one: {run: test -e go}\n");
  const RunDirectory run = world.submit();
  EXPECT_EQ(world.outcome(), "failed");
  const ConductorLock first(run.lock(), self_identity());
  const Finished second = world.kernmill({"resume"});
  EXPECT_EQ(second.exit_code, 3);
  EXPECT_THAT(second.err, HasSubstr("is conducted by process"));
}

TEST(SlurmFault, ANodeThatGoesDownGivesItsInstanceToAnother) {
  KERNMILL_NEEDS_SLURM();
  if (!is_long()) GTEST_SKIP() << "takes a minute: ./dev test --long";
  SubmitWorld world({.extra = "SlurmdTimeout=5"});
  world.workflow(R"(
  one:
    run: |
      echo $KERNMILL_ATTEMPT >> log
      if test $KERNMILL_ATTEMPT = 1; then until test -e late; do sleep 0.2; done; fi
      echo "attempt=$KERNMILL_ATTEMPT" > $KERNMILL_METRICS
  two: {needs: one, run: 'echo $BY > by', env: {BY: "${{ stages.one.attempt }}"}}
)");
  world.submit();
  world.wait_for_start("one");
  const std::string node = world.slurm().run({"squeue", "-h", "-j", world.job_of("one"), "-o", "%N"});
  world.slurm().cluster({"kill-node", node.substr(0, node.find('\n'))});
  world.wait_for_start("one", 0, 2);
  wait_until("the second attempt", [&] { return world.committed("one"); });
  world.slurm().run({"touch", "late"});  // the first attempt still runs, ends now, and must not commit
  EXPECT_EQ(world.outcome(std::chrono::seconds(180)), "done");
  EXPECT_THAT(world.lines("by"), ElementsAre("2"));
}

TEST(SlurmFault, AtItsTimeLimitAnInstanceGoesOnUnderItsJob) {
  KERNMILL_NEEDS_SLURM();
  if (!is_long()) GTEST_SKIP() << "takes two minutes: ./dev test --long";
  SubmitWorld world;
  world.workflow(R"(
  slow:
    resources: {time: 1m}
    retries: {max: 2, on: [timeout], time: x2}
    run: echo first >> log; sleep 300
    restart: echo again >> log
  after: {needs: slow, run: touch after}
)");
  world.submit();
  EXPECT_EQ(world.outcome(std::chrono::seconds(240)), "done");
  EXPECT_THAT(world.lines("log"), ElementsAre("first", "again"));
  EXPECT_EQ(world.record().find("slow", 0)->attempts.front().cause, Cause::timeout);
}

// `kernmill submit` killed before or after any of its records was durable.
TEST(SlurmFault, SubmitKilledAtAnyMomentRunsNothingTwiceAndLosesNothing) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  one: {run: echo one >> $KERNMILL_RUN/log}
  two: {needs: one, matrix: {i: [0, 1]}, run: echo two >> $KERNMILL_RUN/log}
)");
  const int step = is_long() ? 1 : 4;
  for (int boundary = 1;; boundary += step) {
    const Finished submitted = run_program({{KERNMILL_DYING, "submit", "flow.yaml"},
                                            world.path(),
                                            {{"KERNMILL_TEST_DIE_AT", std::to_string(boundary)},
                                             {"KERNMILL_SLURM_PLUGIN", KERNMILL_SLURM_PLUGIN_FILE}}});
    if (submitted.exit_code == 0) {
      EXPECT_GT(boundary, 10);
      return;
    }
    ASSERT_EQ(submitted.exit_code, 137) << submitted.err;
    const Finished resumed = world.kernmill({"resume"});
    ASSERT_EQ(resumed.exit_code, 0) << "killed at " << boundary << ": " << resumed.err;
    EXPECT_EQ(world.record().scheduler, "slurm")
        << "killed at " << boundary << ": resumed where it was meant for";
    EXPECT_EQ(world.outcome(), "done") << "killed at " << boundary;
    EXPECT_THAT(world.lines(std::filesystem::relative(world.run().root() / "log", world.path())),
                ::testing::UnorderedElementsAre("one", "two", "two"))
        << "killed at " << boundary;
    expect_empty_queue(world);
  }
}

}  // namespace
}  // namespace kernmill::testing
