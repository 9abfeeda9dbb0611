#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "slurm_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::HasSubstr;

const BatchJob nothing{
    .script = "#!/bin/sh\ntrue\n", .env = {{"PATH", "/bin"}}, .options = {{"mem", "50M"}, {"hold", ""}}};

ClusterError::Kind refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const ClusterError& error) {
    return error.kind;
  }
  ADD_FAILURE() << "nothing was refused";
  return ClusterError::Kind::rejected;
}

TEST(SlurmPluginFaults, AControllerThatIsDownOrSilentIsUnavailableAndComesBack) {
  KERNMILL_NEEDS_SLURM();
  const SlurmWorld world({.nodes = 1, .extra = "MessageTimeout=2"});
  const auto cluster = SlurmWorld::open();
  const std::string id = cluster->submit(nothing);
  world.cluster({"stop-controller"});
  EXPECT_EQ(refusal([&] { cluster->submit(nothing); }), ClusterError::Kind::unavailable);
  EXPECT_EQ(refusal([&] { cluster->jobs(); }), ClusterError::Kind::unavailable);
  EXPECT_EQ(refusal([&] { cluster->job(id); }), ClusterError::Kind::unavailable);
  world.cluster({"start-controller"});
  EXPECT_EQ(cluster->job(id).size(), 1U);
  world.cluster({"hang-controller"});
  EXPECT_EQ(refusal([&] { cluster->cancel(id); }), ClusterError::Kind::unavailable);
  world.cluster({"wake-controller"});
  cluster->cancel(id);
}

TEST(SlurmPluginFaults, AFullQueueIsBusyAndNotARejection) {
  KERNMILL_NEEDS_SLURM();
  const SlurmWorld world({.nodes = 1, .extra = "MaxJobCount=9\nMaxArraySize=6"});
  const auto cluster = SlurmWorld::open();
  BatchJob five = nothing;
  five.options.emplace_back("array", "0-4");
  const std::string id = cluster->submit(five);
  EXPECT_EQ(refusal([&] { cluster->submit(five); }), ClusterError::Kind::busy);
  cluster->cancel(id);
}

TEST(SlurmPluginAccounting, AccountsAndQosAreFactsAsLongAsTheDatabaseAnswers) {
  if (const std::string reason = no_accounting_because(); !reason.empty()) GTEST_SKIP() << reason;
  const SlurmWorld world({.nodes = 1, .accounting = true});
  const auto cluster = SlurmWorld::open();
  const ClusterFacts facts = cluster->facts();
  ASSERT_TRUE(facts.accounts && facts.qos);
  EXPECT_THAT(*facts.accounts, ::testing::IsSupersetOf({"physics", "default"}));
  EXPECT_THAT(*facts.qos, ::testing::UnorderedElementsAre("normal", "long"));
  EXPECT_EQ(facts.submit_limits.at("account physics"), 50U);
  BatchJob job = nothing;
  job.options.emplace_back("account", "physics");
  job.options.emplace_back("array", "0-50");
  EXPECT_EQ(refusal([&] { cluster->submit(job); }), ClusterError::Kind::busy);
  job.options.emplace_back("account", "chemistry");
  EXPECT_EQ(refusal([&] { cluster->submit(job); }), ClusterError::Kind::rejected);
  world.cluster({"stop-accounting"});
  EXPECT_EQ(cluster->facts().accounts, std::nullopt);
  EXPECT_EQ(cluster->facts().nodes.size(), 1U) << "it works without its database";
}

TEST(SlurmPluginFaults, AConfigurationThatCannotBeUsedDoesNotEndTheProcess) {
  KERNMILL_NEEDS_SLURM();
  ::setenv("SLURM_CONF", "/nowhere/slurm.conf", 1);
  try {
    SlurmWorld::open();
    FAIL() << "opened without a configuration";
  } catch (const ClusterError& error) {
    EXPECT_EQ(error.kind, ClusterError::Kind::unavailable);
    EXPECT_THAT(error.what(), HasSubstr("/nowhere/slurm.conf"));
  }
}

}  // namespace
}  // namespace kernmill::testing
