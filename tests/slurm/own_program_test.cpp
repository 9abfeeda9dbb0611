// A program of one's own on a real cluster.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/os/durable_file.hpp"
#include "submit_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::ElementsAre;

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

}  // namespace
}  // namespace kernmill::testing
