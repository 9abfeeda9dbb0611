// A program of one's own on a real cluster.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/os/durable_file.hpp"
#include "submit_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// Writes the deadline it was told and the end that Slurm says into `name`, as seconds.
std::string tells_end(const std::string& name) {
  return "job=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}\n"
         "      end=$(scontrol show job ${job:-$SLURM_JOB_ID} | grep -o 'EndTime=[^ ]*' | cut -d= -f2)\n"
         "      echo $KERNMILL_DEADLINE $(date -d $end +%s) > " +
         name + "\n";
}

TEST(SlurmOwnProgram, RanksMeetAndTheEndIsTheJobs) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.slurm().run({"cp", KERNMILL_SOURCE_DIR "/tests/support/meet.py", "."});
  world.workflow(R"(
  ranks:
    resources: {nodes: 2, ntasks: 3, mem: 100M, time: 10m}
    outputs: [met]
    run: |
      $KERNMILL_LAUNCH python3 meet.py
      )" + tells_end("end") +
                 R"(
  again:
    resources: {mem: 100M, time: 10m}
    needs: ranks
    run: |
      echo $KERNMILL_ATTEMPT $KERNMILL_RESUMED $(ls $KERNMILL_CHECKPOINTS) >> log
      touch $KERNMILL_CHECKPOINTS/one
      )" + tells_end("end$KERNMILL_ATTEMPT") +
                 R"(      test $KERNMILL_ATTEMPT = 2 || sleep 600
)");
  const RunDirectory run = world.submit();
  world.wait_for_file("end1");
  world.slurm().run({"scontrol", "requeue", world.job_of("again")});
  ASSERT_EQ(world.outcome(), "done");
  EXPECT_EQ(read_file(run.attempt("ranks", 0, 1) / "met"),
            "RANK=0 WORLD_SIZE=3 LOCAL_RANK=0 LOCAL_WORLD_SIZE=2 NODE_RANK=0\n"
            "RANK=1 WORLD_SIZE=3 LOCAL_RANK=1 LOCAL_WORLD_SIZE=2 NODE_RANK=0\n"
            "RANK=2 WORLD_SIZE=3 LOCAL_RANK=0 LOCAL_WORLD_SIZE=1 NODE_RANK=1\n");
  EXPECT_THAT(world.lines("log"), ElementsAre("1 0", "2 1 one"));
  for (const char* file : {"end", "end1", "end2"}) {
    const std::string line = world.lines(file).at(0);
    EXPECT_EQ(line.substr(0, line.find(' ')), line.substr(line.find(' ') + 1)) << file;
  }
}

TEST(SlurmOwnProgram, GetsWhatItsStagePassesAndMayBeToldByItsSignal) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  alone:
    pass_env: [WANDB_*, X_TOKEN]
    run: 'test "$WANDB_MODE-$X_TOKEN-${OTHER-none}" = offline-0123456789-hush-none'
  packed:
    pass_env: WANDB_MODE
    matrix: {i: [1, 2]}
    pack: 2
    run: 'test "$WANDB_MODE-${X_TOKEN-none}" = offline-none'
  ranks:
    needs: alone
    signal: USR1
    resources: {nodes: 2, ntasks: 2, mem: 100M}
    run: |
      if [ $KERNMILL_ATTEMPT = 2 ]; then exit 0; fi
      $KERNMILL_LAUNCH bash -c "trap 'echo \$RANK >> told; exit 75' USR1; touch ready\$RANK
                                while :; do sleep 0.1; done"
)");
  const std::vector<std::pair<std::string, std::string>> here{
      {"WANDB_MODE", "offline"}, {"X_TOKEN", "0123456789-hush"}, {"OTHER", "too"}};
  const Finished submitted = world.kernmill({"submit", "flow.yaml"}, here);
  ASSERT_EQ(submitted.exit_code, 0) << submitted.err;
  world.wait_for_file("ready0");
  world.wait_for_file("ready1");
  // As at the end of the job's time: to kernmill-exec alone.
  world.slurm().run({"scancel", "--batch", "--signal=USR1", world.job_of("ranks")});
  EXPECT_NE(world.outcome(), "");
  auto told = world.lines("told");
  std::sort(told.begin(), told.end());
  EXPECT_THAT(told, ElementsAre("0", "1")) << "once each";
  EXPECT_TRUE(world.committed("alone"));
  EXPECT_TRUE(world.committed("packed", 1));
  EXPECT_THAT(world.kernmill({"explain", "last", "alone", "--env"}).out,
              AllOf(HasSubstr("pass_env"), HasSubstr("SLURM_JOB_ID"), Not(HasSubstr("hush"))));
}

TEST(SlurmOwnProgram, OfAMinuteFortySecondsAreForWork) {
  KERNMILL_NEEDS_SLURM();
  if (!is_long()) GTEST_SKIP() << "takes a minute: ./dev test --long";
  SubmitWorld world;
  world.workflow(R"(
  listens:
    resources: {time: 1m, mem: 50M}
    signal: USR1
    run: |
      test $KERNMILL_RESUMED = 0 || exit 0
      begin=$(date +%s)
      trap 'echo $(($(date +%s) - begin)) > $KERNMILL_CHECKPOINTS/told; exit 75' USR1
      while :; do sleep 0.1; done
  does_not_listen: {resources: {time: 1m, mem: 50M}, run: sleep 50}
)");
  const RunDirectory run = world.submit();
  EXPECT_EQ(world.outcome(std::chrono::seconds(400)), "done");
  const int told = std::stoi(read_file(run.checkpoints("listens", 0) / "told"));
  EXPECT_GE(told, 30);
  EXPECT_LE(told, 45);
}

}  // namespace
}  // namespace kernmill::testing
