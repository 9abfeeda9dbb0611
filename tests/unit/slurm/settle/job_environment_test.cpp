#include "kernmill/slurm/settle/job_environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "settled.hpp"

namespace kernmill::slurm {
namespace {

using ::testing::Contains;
using ::testing::Not;
using ::testing::Pair;

TEST(SlurmOptions, TheEnvironmentHasWhatSbatchWouldAdd) {
  const Submitter submitter{
      .folder = "/w", .host = "login", .umask = 027, .niceness = 0, .limits = {{"CORE", 7}}};
  const auto variables = job_environment(
      settled(
          {{"job-name", "iris.fit"}, {"ntasks", "4"}, {"cpus-per-task", "2"}, {"gpus-per-task", "a100:1"}}),
      Dialect{}, submitter);
  EXPECT_THAT(variables, Contains(Pair("SLURM_JOB_NAME", "iris.fit")));
  EXPECT_THAT(variables, Contains(Pair("SLURM_SUBMIT_DIR", "/w")));
  EXPECT_THAT(variables, Contains(Pair("SLURM_UMASK", "0027")));
  EXPECT_THAT(variables, Contains(Pair("SLURM_RLIMIT_CORE", "7")));
  EXPECT_THAT(variables, Contains(Pair("SLURM_NTASKS", "4")));
  EXPECT_THAT(variables, Contains(Pair("SLURM_CPUS_PER_TASK", "2")));
  EXPECT_THAT(variables, Contains(Pair("SLURM_GPUS_PER_TASK", "a100:1")));
  EXPECT_THAT(variables, Not(Contains(Pair("SLURM_NTASKS_PER_NODE", ::testing::_))));
}

}  // namespace
}  // namespace kernmill::slurm
