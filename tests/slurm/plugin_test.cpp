#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "slurm_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// One cluster for all tests of a process.
class SlurmPlugin : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!no_slurm_because().empty()) return;
    world = std::make_unique<SlurmWorld>();
    std::filesystem::current_path(world->path());
    cluster = SlurmWorld::open();
  }
  static void TearDownTestSuite() {
    cluster.reset();
    std::filesystem::current_path("/");
    world.reset();
  }
  void SetUp() override { KERNMILL_NEEDS_SLURM(); }

  static BatchJob job(const std::string& commands, BatchJob::Options options = {}) {
    options.insert(options.begin(), {{"job-name", "test"}, {"mem", "50M"}, {"output", "%A_%a.out"}});
    return {.script = "#!/bin/sh\n" + commands + "\n",
            .env = {{"PATH", "/usr/bin:/bin"}, {"KERNMILL_TEST", "a value"}},
            .options = std::move(options)};
  }
  static std::vector<JobState> states(const std::string& id) {
    std::vector<JobState> found;
    for (const ClusterJob& one : cluster->job(id)) found.push_back(one.state);
    return found;
  }
  static void wait_for(const std::string& id, JobState state) {
    wait_until("job " + id + " " + std::string(to_string(state)), [&] {
      const auto found = states(id);
      return !found.empty() &&
             std::all_of(found.begin(), found.end(), [&](JobState one) { return one == state; });
    });
  }
  static ClusterError::Kind refusal(const std::function<void()>& action) {
    try {
      action();
    } catch (const ClusterError& error) {
      EXPECT_THAT(error.what(), HasSubstr("cannot ")) << error.what();
      return error.kind;
    }
    ADD_FAILURE() << "nothing was refused";
    return ClusterError::Kind::busy;
  }

  static std::unique_ptr<SlurmWorld> world;
  static std::unique_ptr<Cluster> cluster;
};
std::unique_ptr<SlurmWorld> SlurmPlugin::world;
std::unique_ptr<Cluster> SlurmPlugin::cluster;

TEST_F(SlurmPlugin, AJobRunsItsScriptInItsEnvironment) {
  const std::string id = cluster->submit(job("echo \"$KERNMILL_TEST\" > said"));
  wait_for(id, JobState::completed);
  EXPECT_EQ(world->run({"cat", "said"}), "a value\n");
  EXPECT_THAT(cluster->description(), HasSubstr("Slurm 2"));
}

TEST_F(SlurmPlugin, AHeldJobWaitsUntilItIsReleased) {
  const std::string id = cluster->submit(job("true", {{"hold", ""}, {"comment", "kernmill:run:1"}}));
  const auto held = cluster->job(id);
  ASSERT_EQ(held.size(), 1U);
  EXPECT_TRUE(held[0].held);
  EXPECT_EQ(held[0].comment, "kernmill:run:1");
  EXPECT_EQ(held[0].name, "test");
  EXPECT_EQ(held[0].elements, "");
  EXPECT_GT(held[0].submitted, 1'000'000'000);
  cluster->release(id);
  wait_for(id, JobState::completed);
}

TEST_F(SlurmPlugin, AnArrayIsOneRecordUntilItsElementsStart) {
  const std::string id =
      cluster->submit(job("test $SLURM_ARRAY_TASK_ID != 2", {{"array", "0-3%2"}, {"hold", ""}}));
  EXPECT_THAT(cluster->job(id), ElementsAre(Field(&ClusterJob::elements, "0-3")));
  EXPECT_THAT(cluster->job(id + "_2"), ElementsAre(Field(&ClusterJob::elements, "2")));
  EXPECT_THAT(cluster->job(id + "_7"), IsEmpty());
  cluster->release(id);
  wait_for(id + "_2", JobState::failed);
  wait_for(id + "_3", JobState::completed);
  EXPECT_THAT(cluster->jobs(), Contains(AllOf(Field(&ClusterJob::id, id), Field(&ClusterJob::elements, "2"),
                                              Field(&ClusterJob::exit_code, 1),
                                              Field(&ClusterJob::reason, "NonZeroExitCode"))));
}

TEST_F(SlurmPlugin, ALongListOfElementsIsNotCutOff) {
  std::string odd = "1";
  for (int element = 3; element < 400; element += 2) odd += "," + std::to_string(element);
  const std::string id = cluster->submit(job("true", {{"array", odd}, {"hold", ""}}));
  EXPECT_THAT(cluster->job(id + "_399"), ElementsAre(Field(&ClusterJob::elements, "399")));
  EXPECT_THAT(cluster->job(id + "_398"), IsEmpty());
  cluster->cancel(id);
}

TEST_F(SlurmPlugin, AJobWaitsForThoseItDependsOn) {
  const std::string first = cluster->submit(job("true", {{"array", "0-1"}, {"hold", ""}}));
  const std::string second =
      cluster->submit(job("true", {{"array", "0-1"}, {"dependency", "aftercorr:" + first}}));
  for (const ClusterJob& one : cluster->job(second)) EXPECT_THAT(one.dependency, HasSubstr(first));
  cluster->release(first);
  wait_for(second, JobState::completed);
}

TEST_F(SlurmPlugin, CancellingEndsAJobItsElementsAndWhatHasEndedIsNoError) {
  const std::string id = cluster->submit(job("sleep 100", {{"array", "0-3"}}));
  wait_for(id, JobState::running);
  cluster->cancel(id + "_[1,3]");
  wait_for(id + "_1", JobState::cancelled);
  EXPECT_THAT(states(id + "_2"), ElementsAre(JobState::running));
  cluster->cancel(id);
  wait_for(id, JobState::cancelled);
  EXPECT_NO_THROW(cluster->cancel(id));
}

TEST_F(SlurmPlugin, ASignalReachesTheRanksAndNotTheScript) {
  const std::string id = cluster->submit(
      job("trap 'echo script >> got' USR1; srun -n2 sh -c 'trap \"echo rank >> got; exit 0\" USR1; touch "
          "up.$SLURM_PROCID; while :; do sleep 0.1; done'",
          {{"ntasks", "2"}}));
  wait_until("both ranks", [&] {
    return std::filesystem::exists(world->path() / "up.0") && std::filesystem::exists(world->path() / "up.1");
  });
  cluster->signal(id, SIGUSR1);
  wait_for(id, JobState::completed);
  EXPECT_EQ(world->run({"cat", "got"}), "rank\nrank\n");
}

TEST_F(SlurmPlugin, ARequeuedJobKeepsItsIdAndMayBeChangedBeforeItRunsAgain) {
  const std::string id = cluster->submit(
      job("test -n \"$SLURM_RESTART_COUNT\" || sleep 100", {{"requeue", ""}, {"time", "10"}}));
  wait_for(id, JobState::running);
  cluster->requeue(id);
  cluster->change(id, {{"mem", "80M"}, {"time", "20"}, {"exclude", "n4"}});
  wait_for(id, JobState::pending);
  EXPECT_THAT(
      world->run({"scontrol", "show", "job", id}),
      AllOf(HasSubstr("MinMemoryNode=80M"), HasSubstr("TimeLimit=00:20:00"), HasSubstr("ExcNodeList=n4")));
  cluster->change(id, {{"begin", "now+2"}});  // sooner, a node may take its credential for the revoked one
  wait_for(id, JobState::completed);
  EXPECT_EQ(cluster->job(id).at(0).restarts, 1U);
}

TEST_F(SlurmPlugin, OnlySomeOptionsOfAJobCanChange) {
  const std::string id = cluster->submit(job("true", {{"hold", ""}}));
  EXPECT_EQ(refusal([&] { cluster->change(id, {{"array", "0-3"}}); }), ClusterError::Kind::rejected);
  cluster->cancel(id);
}

TEST_F(SlurmPlugin, WhatCanNeverRunIsRejectedWithTheReason) {
  using Kind = ClusterError::Kind;
  EXPECT_EQ(refusal([&] { cluster->submit(job("true", {{"partition", "nowhere"}})); }), Kind::rejected);
  EXPECT_EQ(refusal([&] { cluster->submit(job("true", {{"array", "0-5000"}})); }), Kind::rejected);
  EXPECT_EQ(refusal([&] { cluster->submit(job("true", {{"constraint", "slow"}})); }), Kind::rejected);
  EXPECT_EQ(refusal([&] { cluster->submit(job("true", {{"licenses", "solver:9"}})); }), Kind::rejected);
  EXPECT_EQ(refusal([&] { cluster->submit(job("true", {{"cpus-per-task", "9"}})); }), Kind::rejected);
  EXPECT_EQ(refusal([&] { cluster->submit(job("true", {{"colour", "red"}})); }), Kind::rejected);
  EXPECT_THAT(cluster->check(job("true", {{"colour", "red"}})), ElementsAre(HasSubstr("--colour")));
  EXPECT_THAT(cluster->check(job("true")), IsEmpty());
}

TEST_F(SlurmPlugin, AnUnknownJobIsToldFromOneThatCannotBeAskedFor) {
  using Kind = ClusterError::Kind;
  EXPECT_THAT(cluster->job("999999"), IsEmpty());
  EXPECT_EQ(refusal([&] { cluster->release("999999"); }), Kind::unknown_job);
  EXPECT_EQ(refusal([&] { cluster->requeue("999999"); }), Kind::unknown_job);
  EXPECT_EQ(refusal([&] { cluster->cancel("999999"); }), Kind::unknown_job);
}

TEST_F(SlurmPlugin, FactsTellWhatTheClusterOffers) {
  const ClusterFacts facts = cluster->facts();
  EXPECT_EQ(facts.name, "kernmill");
  EXPECT_EQ(facts.max_array_size, 1001U);
  EXPECT_EQ(facts.max_jobs, 10000U);
  ASSERT_EQ(facts.nodes.size(), 4U);
  EXPECT_THAT(facts.nodes,
              Contains(AllOf(Field(&ClusterFacts::Node::name, "n2"), Field(&ClusterFacts::Node::cpus, 4),
                             Field(&ClusterFacts::Node::mem, std::uint64_t{4000} << 20),
                             Field(&ClusterFacts::Node::features, ElementsAre("gpu")),
                             Field(&ClusterFacts::Node::gres, HasSubstr("gpu:2")),
                             Field(&ClusterFacts::Node::is_down, false))));
  ASSERT_EQ(facts.partitions.size(), 3U);
  for (const auto& partition : facts.partitions) {
    EXPECT_THAT(partition.nodes, ElementsAre("n1", "n2", "n3", "n4"));
    EXPECT_EQ(partition.is_default, partition.name == "main");
    EXPECT_TRUE(partition.is_up);
    EXPECT_EQ(partition.max_time, std::chrono::minutes{partition.name == "short" ? 10 : 0});
  }
  EXPECT_EQ(facts.licenses.at("solver"), 3U);
  EXPECT_EQ(facts.accounts, std::nullopt) << "there is no accounting database";
}

TEST_F(SlurmPlugin, TheStartOfAJobIsEstimatedWithoutSubmittingIt) {
  const std::size_t before = cluster->jobs().size();
  const auto start = cluster->expected_start(job("true", {{"time", "1"}}));
  ASSERT_TRUE(start.has_value());
  EXPECT_LT(*start - std::chrono::system_clock::now(), std::chrono::minutes{5});
  EXPECT_EQ(refusal([] {
              cluster->expected_start(job("true", {{"cpus-per-task", "9"}}));
            }),
            ClusterError::Kind::rejected);
  EXPECT_EQ(cluster->jobs().size(), before);
}

TEST_F(SlurmPlugin, ASubmissionIsOneRequest) {
  const auto before = cluster->request_counts();
  const std::string id = cluster->submit(job("true", {{"array", "0-99"}, {"hold", ""}}));
  std::map<std::string, std::uint64_t> counts;
  wait_until("a submission counted", [&] {  // the controller counts a request after it has answered it
    counts = cluster->request_counts();
    for (const auto& [name, count] : before) counts[name] -= count;
    return counts["REQUEST_SUBMIT_BATCH_JOB"] > 0;
  });
  EXPECT_EQ(counts.at("REQUEST_SUBMIT_BATCH_JOB"), 1U);
  cluster->cancel(id);
}

}  // namespace
}  // namespace kernmill::testing
