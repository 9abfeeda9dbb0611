#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/base/sha256.hpp"
#include "kernmill/os/durable_file.hpp"
#include "submit_world.hpp"
#include "temporary_directory.hpp"

namespace kernmill::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

TEST(Submit, RunsAChainWithArraysAndLeavesNothingInTheQueue) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  one: {run: echo one >> log}
  many:
    needs: one
    matrix: {i: [0, 1, 2, 3, 4, 5]}
    run: 'echo "value=$KERNMILL_MATRIX_I" > $KERNMILL_METRICS'
  each:
    needs: many
    matrix: {i: [0, 1, 2, 3, 4, 5]}
    run: echo $VALUE >> each.$KERNMILL_MATRIX_I
    env: {VALUE: "${{ stages.many.value }}"}
  last: {needs: each, run: cat each.* | sort > all}
)");
  world.submit();
  EXPECT_EQ(world.outcome(), "done");
  EXPECT_EQ(world.lines("all"), (std::vector<std::string>{"0", "1", "2", "3", "4", "5"}));
  EXPECT_EQ(world.lines("log"), (std::vector<std::string>{"one"}));
  wait_until("an empty queue", [&] { return world.queue().empty(); });
  EXPECT_EQ(world.kernmill({"status"}).exit_code, 0);
  EXPECT_EQ(world.state("each[3]"), "finished");
}

TEST(Submit, HandsASecretOfTheEnvironmentToTheJobsThatNameItAndToNoFile) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  asks: {run: 'printf %s "$TOKEN" | sha256sum > asks', env: {TOKEN: {from: env, name: SITE_TOKEN}}}
  packed:
    matrix: {i: [1, 2]}
    pack: 2
    run: 'printf %s "$SITE_TOKEN" | sha256sum > packed.$KERNMILL_MATRIX_I'
    env: {SITE_TOKEN: {from: env}}
  other: {run: 'env > other'}
)");
  const std::string secret = "s3cr3t-of-the-test";
  EXPECT_EQ(world.kernmill({"submit", "flow.yaml"}).exit_code, 2) << "it is not set";
  const Finished submitted = world.kernmill({"submit", "flow.yaml"}, {{"SITE_TOKEN", secret}});
  EXPECT_EQ(submitted.exit_code, 0) << submitted.err;
  EXPECT_EQ(world.outcome(), "done");
  for (const char* file : {"asks", "packed.1", "packed.2"})
    EXPECT_EQ(world.lines(file), (std::vector<std::string>{sha256(secret) + "  -"})) << file;
  for (const auto& file : std::filesystem::recursive_directory_iterator(world.run().root()))
    if (file.is_regular_file()) {
      EXPECT_EQ(read_file(file.path()).find(secret), std::string::npos) << file.path();
    }
  for (const std::string& line : world.lines("other"))
    EXPECT_EQ(line.find(secret), std::string::npos) << line;
  const Finished shown = world.kernmill({"submit", "flow.yaml", "--dry-run"}, {{"SITE_TOKEN", secret}});
  EXPECT_EQ((shown.out + shown.err).find(secret), std::string::npos);
}

TEST(Submit, RunsAThousandElementsBetweenTwoOthers) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  std::string values = "0";
  for (int i = 1; i < 1000; ++i) values += ", " + std::to_string(i);
  world.workflow(R"(
  first: {run: 'echo "value=7" > $KERNMILL_METRICS', resources: {mem: 50M}}
  last: {needs: many, run: touch last, resources: {mem: 50M}}
  many:
    needs: first
    run: 'echo value=$(expr $VALUE "*" $KERNMILL_MATRIX_I) > $KERNMILL_METRICS'
    env: {VALUE: "${{ stages.first.value }}"}
    resources: {mem: 50M}
)"
                 "    matrix: {i: [" +
                 values + "]}\n");
  world.submit({"--no-cache"});
  EXPECT_EQ(world.outcome(std::chrono::seconds{400}), "done");
  const RunRecord record = world.record();
  for (unsigned i = 0; i < 1000; ++i) {
    const InstanceRecord* known = record.find("many", i);
    ASSERT_TRUE(known != nullptr && known->committed) << i;
    EXPECT_EQ(known->metrics["value"], 7 * i);
    EXPECT_THAT(known->attempts, SizeIs(1));
  }
  EXPECT_TRUE(std::filesystem::exists(world.path() / "last"));
}

TEST(Submit, MailTellsHowTheRunHasEnded) {
  KERNMILL_NEEDS_SLURM();
  const TemporaryDirectory mails;
  const auto program = mails.path() / "mail";
  std::ofstream(program) << "#!/bin/sh\ncat >/dev/null\necho \"$@\" >>" << (mails.path() / "sent").string()
                         << '\n';
  std::filesystem::permissions(program, std::filesystem::perms::owner_all |
                                            std::filesystem::perms::others_exec |
                                            std::filesystem::perms::others_read);
  SubmitWorld world({.extra = "MailProg=" + program.string() + "\n"});
  const auto mail = [&](const std::string& command, const std::string& key) {
    std::filesystem::remove(mails.path() / "sent");
    world.workflow("  a: {run: '" + command + "'}\n" + key);
    world.submit({"--no-cache"});
    world.outcome();
    wait_until("an empty queue", [&] { return world.queue().empty(); });
    return mails.path() / "sent";
  };
  const auto text = [](const std::filesystem::path& file) {
    wait_until("a mail",
               [&] { return std::filesystem::exists(file) && std::filesystem::file_size(file) > 0; });
    return read_file(file);
  };
  EXPECT_THAT(text(mail("true", "mail: ada\n")),
              AllOf(HasSubstr("Name=flow.end Ended"), HasSubstr("COMPLETED"), HasSubstr("ada")));
  EXPECT_THAT(text(mail("false", "mail: {to: ada, on: failure}\n")),
              AllOf(HasSubstr("Name=flow.end Failed"), HasSubstr("ada")));
}

TEST(Submit, WhatDependsOnAFailureNeverRunsAndTheRestFinishes) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  bad: {run: exit 3}
  after: {needs: bad, run: touch must-not-exist}
  far: {needs: after, run: touch must-not-exist}
  good: {run: touch good}
  better: {needs: good, run: touch better}
)");
  world.submit();
  EXPECT_EQ(world.outcome(), "failed");
  EXPECT_FALSE(std::filesystem::exists(world.path() / "must-not-exist"));
  EXPECT_TRUE(std::filesystem::exists(world.path() / "better"));
  wait_until("an empty queue", [&] { return world.queue().empty(); });
  EXPECT_EQ(world.state("bad"), "failed");
  EXPECT_EQ(world.state("after"), "blocked");
  EXPECT_EQ(world.state("far"), "blocked");
}

TEST(Submit, AnElementThatFailsBlocksItsOwnSuccessorAlone) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  many: {matrix: {i: [0, 1, 2, 3]}, run: test $KERNMILL_MATRIX_I != 2}
  each: {needs: many, matrix: {i: [0, 1, 2, 3]}, run: touch each.$KERNMILL_MATRIX_I}
)");
  world.submit();
  EXPECT_EQ(world.outcome(), "failed");
  for (const int i : {0, 1, 3}) EXPECT_TRUE(world.committed("each", static_cast<unsigned>(i))) << i;
  EXPECT_EQ(world.state("each[2]"), "blocked");
}

TEST(Submit, AFalseConditionSkipsWhatComesAfterIt) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  score: {run: 'echo accuracy=0.5 > $KERNMILL_METRICS'}
  ship: {when: "${{ stages.score.accuracy >= 0.9 }}", run: touch must-not-exist}
  tell: {needs: ship, run: touch must-not-exist}
  keep: {when: "${{ stages.score.accuracy < 0.9 }}", run: touch kept}
)");
  world.submit();
  EXPECT_EQ(world.outcome(), "done");
  EXPECT_FALSE(std::filesystem::exists(world.path() / "must-not-exist"));
  EXPECT_TRUE(std::filesystem::exists(world.path() / "kept"));
  EXPECT_EQ(world.state("ship"), "skipped");
  EXPECT_EQ(world.state("tell"), "skipped");
}

TEST(Submit, ResumeSubmitsOnlyWhatIsMissing) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  many: {matrix: {i: [0, 1, 2, 3]}, run: 'echo $KERNMILL_MATRIX_I >> ran; test $KERNMILL_MATRIX_I != 2 -o -e mended'}
  last: {needs: many, run: touch last}
)");
  world.submit();
  EXPECT_EQ(world.outcome(), "failed");
  world.slurm().run({"touch", "mended"});
  const Finished resumed = world.kernmill({"resume", "last", "--json"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(Json::parse(resumed.out).at("jobs").at(0).at("elements"), "2");
  wait_until("the second end", [&] { return world.record().outcome == "done"; });
  EXPECT_THAT(world.lines("ran"), UnorderedElementsAre("0", "1", "2", "3", "2"));
}

TEST(Submit, CancelEndsAllJobsAndResumeGoesOn) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  slow: {run: 'test -e go || sleep 300'}
  last: {needs: slow, run: touch last}
)");
  world.submit();
  world.wait_for_start("slow");
  EXPECT_EQ(world.state("slow"), "running");
  EXPECT_EQ(world.kernmill({"cancel"}).exit_code, 0);
  wait_until("an empty queue", [&] { return world.queue().empty(); });
  EXPECT_EQ(world.record().outcome, "cancelled");
  world.slurm().run({"touch", "go"});
  EXPECT_EQ(world.kernmill({"resume"}).exit_code, 0);
  EXPECT_EQ(world.outcome(), "done");
}

TEST(Submit, HeldJobsWaitForResume) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow("  one: {run: touch one}\n");
  world.submit({"--hold"});
  EXPECT_THAT(world.queue(), HasSubstr("JobHeldUser"));
  EXPECT_EQ(world.kernmill({"resume"}).exit_code, 0);
  EXPECT_EQ(world.outcome(), "done");
}

TEST(Submit, WaitShowsTheResultsAndTheExitStatusIsThatOfTheRun) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow("  one: {run: 'echo answer=42 > $KERNMILL_METRICS'}\n  bad: {run: exit 1}\n");
  const Finished finished = world.kernmill({"submit", "flow.yaml", "--wait"});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(finished.out, HasSubstr("42"));
  EXPECT_THAT(finished.err, HasSubstr("bad"));
}

TEST(Submit, ADryRunSubmitsNothing) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow("  one: {run: 'true'}\n  two: {needs: one, matrix: {i: [1, 2]}, run: 'true'}\n");
  const Finished finished = world.kernmill({"submit", "flow.yaml", "--dry-run"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("#SBATCH --array=0-1\n#SBATCH --dependency=\"afterok:<one.0>\"\n"));
  EXPECT_EQ(world.queue(), "");
  EXPECT_FALSE(std::filesystem::exists(world.path() / "runs"));
}

TEST(Submit, WhatTheClusterCannotDoIsSaidBeforeAnythingIsSubmitted) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow("  one:\n    run: 'true'\n    resources: {partition: mian, cpus_per_task: 5000}\n");
  const Finished finished = world.kernmill({"submit", "flow.yaml"});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_THAT(finished.err, HasSubstr("flow.yaml:5:"));
  EXPECT_EQ(world.queue(), "");
  EXPECT_FALSE(std::filesystem::exists(world.path() / "runs"));
}

using Counts = std::map<std::string, std::uint64_t>;

/// Requests of each type between two moments, less those of the daemons and of the one who counts.
Counts between(const Counts& before, const Counts& after) {
  Counts difference;
  for (const auto& [type, count] : after) {
    const auto earlier = before.find(type);
    const std::uint64_t more = count - (earlier == before.end() ? 0 : earlier->second);
    if (more > 0 && type.starts_with("REQUEST_") && type != "REQUEST_STATS_INFO" && type != "REQUEST_PING")
      difference[type] = more;
  }
  return difference;
}

std::uint64_t sum(const Counts& counts) {
  std::uint64_t total = 0;
  for (const auto& [type, count] : counts) total += count;
  return total;
}

TEST(Submit, CostsOneRequestAnArrayAndAHandful) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  std::string stages = "  s0: {run: 'true'}\n";
  for (int i = 1; i < 20; ++i)
    stages += "  s" + std::to_string(i) + ": {needs: s" + std::to_string(i - 1) +
              ", matrix: {i: [1, 2, 3]}, run: 'true'}\n";
  world.workflow(stages);
  const auto cluster = SlurmWorld::open();
  const auto at_first = cluster->request_counts();
  world.submit({"--hold"});
  Counts submitted, cost, asked;
  // The controller counts a request after it has answered it.
  wait_until("the submissions counted", [&] {
    submitted = cluster->request_counts();
    cost = between(at_first, submitted);
    return cost["REQUEST_SUBMIT_BATCH_JOB"] >= 21;
  });
  EXPECT_EQ(cost.at("REQUEST_SUBMIT_BATCH_JOB"), 21U);  // the arrays, and the closing job
  EXPECT_LE(sum(cost), 21U + 8) << ::testing::PrintToString(cost);
  EXPECT_EQ(world.kernmill({"status"}).exit_code, 0);
  wait_until("a request counted", [&] {
    asked = between(submitted, cluster->request_counts());
    return !asked.empty();
  });
  EXPECT_EQ(sum(asked), 1U) << ::testing::PrintToString(asked);
  EXPECT_EQ(world.kernmill({"cancel"}).exit_code, 0);
}

}  // namespace
}  // namespace kernmill::testing
