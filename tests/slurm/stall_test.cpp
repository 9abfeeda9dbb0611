// Hangs on a real cluster.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/os/durable_file.hpp"
#include "submit_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t number = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++number;
  return number;
}

TEST(SlurmStall, AnElementIsTriedAgainUnderItsJob) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  hangs:
    stall: 2s
    retries: {max: 1}
    run: 'echo $KERNMILL_ATTEMPT >> log; test $KERNMILL_ATTEMPT = 2 || sleep 1000'
  after: {needs: hangs, run: touch after}
)");
  world.submit();
  EXPECT_EQ(world.outcome(), "done");
  EXPECT_THAT(world.lines("log"), ElementsAre("1", "2"));
  const auto attempts = world.record().find("hangs", 0)->attempts;
  EXPECT_EQ(attempts.front().cause, Cause::stalled);
  EXPECT_EQ(attempts.front().job, attempts.back().job);
  EXPECT_THAT(attempts.front().message, HasSubstr("\nsleep (pid "));
}

TEST(SlurmStall, RanksOnSeveralNodesAreLookedAtOnEach) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  ranks:
    resources: {nodes: 2, ntasks: 2, mem: 100M}
    stall: 4s
    run: '$KERNMILL_LAUNCH sleep 1000'
)");
  const RunDirectory run = world.submit();
  EXPECT_EQ(world.outcome(), "failed");
  const auto& attempt = world.record().find("ranks", 0)->attempts.back();
  EXPECT_EQ(attempt.cause, Cause::stalled) << attempt.message;
  const std::string stacks = read_file(run.attempt("ranks", 0, 1) / "stacks.log");
  // All nodes of this cluster are one machine: each of the two sees both ranks.
  EXPECT_EQ(count(stacks, "== sleep (pid "), 4u) << stacks;
  EXPECT_THAT(world.kernmill({"explain"}).out,
              AllOf(HasSubstr("stalled after 1 attempt"), HasSubstr("sleep (pid ")));
}

TEST(SlurmStall, RanksThatComputeSilentlyAreLeftAlone) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  ranks:
    resources: {nodes: 2, ntasks: 2, mem: 100M}
    stall: 3s
    run: |
      $KERNMILL_LAUNCH bash -c 'end=$((SECONDS + 8)); while [ $SECONDS -lt $end ]; do :; done'
)");
  world.submit();
  EXPECT_EQ(world.outcome(), "done");
}

TEST(SlurmStall, APackedInstanceStallsByItself) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  sweep:
    matrix: {i: [0, 1, 2, 3]}
    pack: 4
    resources: {mem: 50M}
    stall: 2s
    retries: {max: 1}
    run: |
      test $KERNMILL_MATRIX_I != 2 || test $KERNMILL_ATTEMPT = 2 || sleep 1000
      test $KERNMILL_MATRIX_I != 3 || for i in 1 2 3 4 5 6 7 8; do echo; sleep 0.5; done
)");
  world.submit();
  EXPECT_EQ(world.outcome(), "done");
  const RunRecord record = world.record();
  EXPECT_EQ(record.find("sweep", 2)->attempts.front().cause, Cause::stalled);
  EXPECT_EQ(record.find("sweep", 2)->attempts.size(), 2u);
  EXPECT_EQ(record.find("sweep", 3)->attempts.size(), 1u);
}

}  // namespace
}  // namespace kernmill::testing
