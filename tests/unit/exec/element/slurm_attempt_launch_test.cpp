// How an element starts its ranks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch_world.hpp"
#include "kernmill/exec/job/container.hpp"
#include "kernmill/exec/job/srun.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/memory_group.hpp"
#include "kernmill/os/memory_watch.hpp"
#include "kernmill/os/process.hpp"

namespace kernmill {
namespace {

using exec::BatchPlace;
using ::testing::AllOf;
using testing::BatchWorld;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string srun_call(BatchWorld& world) {
  return read_file(world.pipe().path() + ".srun");
}

std::string words(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& word : list) text += (text.empty() ? "" : " ") + word;
  return text;
}

TEST(SlurmAttemptLaunch, SeveralRanksAreStartedBySrunWithEverythingSaid) {
  Stage fit = BatchWorld::task("fit", {{"result", {{"metrics", {{"a", 1}}}}}});
  fit.resources = {{"ntasks", 4}, {"cpus_per_task", 2}};
  BatchWorld world({fit});
  ASSERT_EQ(world.run_job("fit"), 0) << world.log();
  EXPECT_THAT(srun_call(world),
              StartsWith("--mpi=pmi2 --kill-on-bad-exit=0 --wait=3 --nodes=1 --ntasks=4 --cpus-per-task=2 "
                         "--mem=100M " FAKE_TASK));
}

TEST(SlurmAttemptLaunch, OneRankNeedsNoSrun) {
  BatchWorld world({BatchWorld::task("fit", {{"result", {{"metrics", {{"a", 1}}}}}})});
  ASSERT_EQ(world.run_job("fit"), 0) << world.log();
  EXPECT_FALSE(std::filesystem::exists(world.pipe().path() + ".srun"));
}

TEST(SlurmAttemptLaunch, CommandsMayStartRanksThemselves) {
  Stage c = BatchWorld::command("c", "echo $KERNMILL_LAUNCH; echo $SLURM_JOB_ID $SLURM_CPU_BIND");
  c.resources = {{"ntasks", 3}};
  BatchWorld world({c});
  ASSERT_EQ(world.run_job("c"), 0) << world.log();
  EXPECT_EQ(read_file(world.run().attempt("c", 0, 1) / "out.log"),
            "srun --mpi=pmi2 --kill-on-bad-exit=0 --wait=3 --nodes=1 --ntasks=3 --cpus-per-task=1 "
            "--mem=100M " KERNMILL_EXEC_ON_FAKE_CLUSTER " --rank\n1\n");
}

TEST(SlurmAttemptLaunch, TemplateOfTheSiteWins) {
  Stage fit = BatchWorld::task("fit", {{"result", {{"metrics", {{"a", 1}}}}}});
  fit.resources = {{"ntasks", 4}};
  BatchWorld world({fit});
  world.environment = {{"KERNMILL_LAUNCHER_TEMPLATE", "srun --mpi=pmix --ntasks={ntasks}"}};
  ASSERT_EQ(world.run_job("fit"), 0) << world.log();
  EXPECT_THAT(srun_call(world), StartsWith("--mpi=pmix --ntasks=4 " FAKE_TASK));
}

TEST(SlurmAttemptLaunch, LaunchIsTriedAgainWhileTheControllerIsAway) {
  Stage fit = BatchWorld::task("fit", {{"result", {{"metrics", {{"a", 1}}}}}});
  fit.resources = {{"ntasks", 2}};
  BatchWorld world({fit});
  world.environment = {{"FAKE_SRUN",
                        "[ -e $PIPE.tried ] || { touch $PIPE.tried; echo 'srun: error: Unable to create step "
                        "for job 1: Unable to "
                        "contact slurm controller (connect failure)' >&2; exit 1; }"}};
  EXPECT_EQ(world.run_job("fit"), 0) << world.log();
  EXPECT_THAT(world.events("fit"),
              ::testing::ElementsAre("started", "step_started", "step_started", "committed"));
}

TEST(SlurmAttemptLaunch, ImageIsRunByApptainer) {
  Resources gpus;
  gpus.gpus_per_node = "2";
  EXPECT_EQ(words(exec::container_words("tools.sif", {"/runs/r", "/home/u"}, {}, "")),
            "apptainer exec --bind /runs/r,/home/u tools.sif");
  EXPECT_THROW(exec::container_words("tools.sif", {"/runs/a:b"}, {}, ""), std::runtime_error);
  EXPECT_EQ(words(exec::container_words("docker://debian:12", {"/r"}, gpus, "")),
            "apptainer exec --nv --bind /r docker://debian:12");
  EXPECT_EQ(words(exec::container_words("a b.sif", {"/r"}, gpus, "enroot start --mount {binds} {image}")),
            "enroot start --mount /r a b.sif");
}

TEST(SlurmAttemptLaunch, CommandRunsInItsImage) {
  Stage c = BatchWorld::command("c", "echo in $IMAGE");
  c.container = "tools.sif";
  BatchWorld world({c});
  world.environment = {{"KERNMILL_CONTAINER_TEMPLATE", "env IMAGE={image}"}};
  ASSERT_EQ(world.run_job("c"), 0) << world.log();
  EXPECT_EQ(read_file(world.run().attempt("c", 0, 1) / "out.log"), "in tools.sif\n");
}

TEST(SlurmAttemptLaunch, BundleIsRunBySlurmItself) {
  Stage c = BatchWorld::command("c", "echo inside");
  c.container = "oci:/images/tools";
  BatchWorld world({c});
  ASSERT_EQ(world.run_job("c"), 0) << world.log();
  EXPECT_THAT(srun_call(world), HasSubstr(" --container=/images/tools /bin/bash "));
}

TEST(Srun, RanksAreThoseOfAllNodesThatWereGiven) {
  Resources resources;
  resources.ntasks_per_node = 4;
  resources.ntasks_by_node = true;
  resources.gpus_per_node = "a100:4";
  BatchPlace place;
  place.nodes = 3;
  place.mem_per_cpu = 2048ULL * 1024 * 1024;
  EXPECT_EQ(exec::ranks_of(resources, place), 12);
  EXPECT_EQ(words(exec::srun_words(resources, place, "")),
            "srun --mpi=pmi2 --kill-on-bad-exit=0 --wait=3 --nodes=3 --ntasks=12 --ntasks-per-node=4 "
            "--cpus-per-task=1 --mem-per-cpu=2048M --gpus-per-node=a100:4 --gpu-bind=none");
}

TEST(Srun, KeepsTheJobAndNothingThatBinds) {
  const exec::Environment environment = exec::srun_environment({{"SLURM_JOB_ID", "12"},
                                                                {"SLURM_CPU_BIND", "mask"},
                                                                {"SLURM_MEM_PER_NODE", "7"},
                                                                {"SLURM_EXPORT_ENV", "NONE"},
                                                                {"PMI_RANK", "3"}},
                                                               {});
  EXPECT_EQ(exec::value_of(environment, "SLURM_JOB_ID"), "12");
  for (const char* name : {"SLURM_CPU_BIND", "SLURM_MEM_PER_NODE", "SLURM_EXPORT_ENV", "PMI_RANK"})
    EXPECT_EQ(exec::value_of(environment, name), "") << name;
}

TEST(Srun, ItsWordsTellWhyAStepEnded) {
  const testing::TemporaryDirectory directory;
  const auto report = [&](const std::string& text) {
    write_file_durably(directory.path() / "err.log", text);
    return exec::read_srun_report(directory.path() / "err.log");
  };
  EXPECT_TRUE(report("slurmstepd: error: Detected 1 oom_kill event in StepId=3.0.\n").out_of_memory);
  EXPECT_TRUE(
      report("slurmstepd-n2: error: StepId=4.0 exceeded memory limit (5 > 4), being killed\n").out_of_memory);
  EXPECT_TRUE(report("srun: error: n1: task 0: Out Of Memory\n").out_of_memory);
  EXPECT_FALSE(report("my program: Out Of Memory of things to say\n").out_of_memory);
  EXPECT_TRUE(report("srun: error: Node failure on n2\n").node_failed);
  EXPECT_EQ(report("srun: error: Node failure on n2\n").failed_node, "n2");
  EXPECT_FALSE(report("srun: error: Unable to create step for job 4: Requested node configuration is not "
                      "available\n")
                   .not_launched);
}

TEST(MemoryWatch, APeakIsKnownWhenTheProcessIsGone) {
  EXPECT_FALSE(exec::MemoryWatch(0).was_exceeded());
  EXPECT_FALSE(exec::MemoryWatch(std::uint64_t{1} << 40).was_exceeded());
  SpawnOptions eater;
  eater.argv = {"/bin/sh", "-c", "x=$(head -c 50000000 /dev/zero | tr '\\0' x); :"};
  eater.env = {{"PATH", "/usr/bin:/bin"}};
  reap(spawn(eater));
  EXPECT_TRUE(exec::MemoryWatch(40'000'000).was_exceeded());
}

TEST(MemoryGroup, OfAJobOfSlurmIsThatOfTheWholeJob) {
  EXPECT_EQ(
      exec::memory_events_file("/cg", "0::/system.slice/slurmstepd.scope/job_12/step_batch/user/task_0\n"),
      "/cg/system.slice/slurmstepd.scope/job_12/memory.events");
  EXPECT_EQ(exec::memory_events_file("/cg", "5:cpu:/x\n4:memory:/slurm/uid_0/job_7/step_batch\n0::/y\n"),
            "/cg/memory/slurm/uid_0/job_7/memory.oom_control");
}

TEST(MemoryGroup, KnowsThePeakOfAJobAndNotThatOfAWholeMachine) {
  const testing::TemporaryDirectory folder;
  for (const char* name : {"job_7", "session"}) {
    const auto group = folder.path() / name;
    std::filesystem::create_directories(group);
    write_file_durably(group / "memory.peak", "4096\n");
    write_file_durably(group / "memory.events", "oom_kill 0\n");
  }
  EXPECT_EQ(exec::MemoryGroup(folder.path() / "job_7" / "memory.events").peak(), 4096U);
  EXPECT_EQ(exec::MemoryGroup(folder.path() / "session" / "memory.events").peak(), 0U);
}

TEST(MemoryGroup, CountsWhatWasEndedSinceItWasMade) {
  const testing::TemporaryDirectory directory;
  const auto events = directory.path() / "memory.events";
  write_file_durably(events, "low 0\nhigh 0\nmax 31\noom 2\noom_kill 1\n");
  const exec::MemoryGroup group(events);
  EXPECT_FALSE(group.has_lost_a_process());
  write_file_durably(events, "low 0\nhigh 0\nmax 40\noom 3\noom_kill 2\n");
  EXPECT_TRUE(group.has_lost_a_process());
}

}  // namespace
}  // namespace kernmill
