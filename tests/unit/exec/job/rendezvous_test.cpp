// What ranks are told that meet without MPI.
#include "kernmill/exec/job/rendezvous.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kernmill {
namespace {

using exec::Environment;
using exec::rank_variables;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

auto is(const char* name, const char* value) {
  return ::testing::Pair(name, value);
}

TEST(Rendezvous, RanksOfMpiexecAreToldTheirPlaces) {
  const Environment own{
      {"PMI_RANK", "3"},        {"PMI_SIZE", "4"},      {"MPI_LOCALRANKID", "1"},
      {"MPI_LOCALNRANKS", "2"}, {"SLURM_PROCID", "0"},  {"SLURM_NODEID", "0"},
      {"SLURM_LOCALID", "0"},   {"SLURM_NTASKS", "16"}, {"KERNMILL_RENDEZVOUS", "::1:20017"}};
  EXPECT_THAT(rank_variables(own),
              UnorderedElementsAre(is("RANK", "3"), is("WORLD_SIZE", "4"), is("LOCAL_RANK", "1"),
                                   is("LOCAL_WORLD_SIZE", "2"), is("NODE_RANK", "1"), is("GROUP_RANK", "1"),
                                   is("MASTER_ADDR", "::1"), is("MASTER_PORT", "20017")));
}

TEST(Rendezvous, RanksOfSrunAreToldTheirPlaces) {
  const Environment own{{"PMI_RANK", "6"},     {"PMI_SIZE", "7"},
                        {"SLURM_PROCID", "6"}, {"SLURM_LOCALID", "0"},
                        {"SLURM_NODEID", "3"}, {"SLURM_STEP_TASKS_PER_NODE", "2(x3),1"}};
  EXPECT_THAT(rank_variables(own),
              UnorderedElementsAre(is("RANK", "6"), is("WORLD_SIZE", "7"), is("LOCAL_RANK", "0"),
                                   is("LOCAL_WORLD_SIZE", "1"), is("NODE_RANK", "3"), is("GROUP_RANK", "3")));
}

TEST(Rendezvous, WhatIsSetAlreadyStays) {
  const Environment own{{"OMPI_COMM_WORLD_RANK", "0"},
                        {"OMPI_COMM_WORLD_SIZE", "1"},
                        {"OMPI_COMM_WORLD_LOCAL_RANK", "0"},
                        {"OMPI_COMM_WORLD_LOCAL_SIZE", "1"},
                        {"RANK", "9"},
                        {"NODE_RANK", "8"},
                        {"MASTER_PORT", "29500"},
                        {"KERNMILL_RENDEZVOUS", "n1:20017"}};
  EXPECT_THAT(rank_variables(own),
              UnorderedElementsAre(is("WORLD_SIZE", "1"), is("LOCAL_RANK", "0"), is("LOCAL_WORLD_SIZE", "1"),
                                   is("GROUP_RANK", "0"), is("MASTER_ADDR", "n1")));
}

TEST(Rendezvous, WhoIsNoRankIsToldNothing) {
  EXPECT_THAT(rank_variables({{"KERNMILL_RENDEZVOUS", "n1:20017"}}), IsEmpty());
  EXPECT_THAT(rank_variables({{"PMI_RANK", "x"}, {"PMI_SIZE", "2"}}), IsEmpty());
}

TEST(Rendezvous, StepsSideBySideMeetAtDifferentPorts) {
  const std::string one = exec::rendezvous(1, "run/a/0/1"), other = exec::rendezvous(1, "run/a/1/1");
  EXPECT_THAT(one, StartsWith("127.0.0.1:2"));
  EXPECT_NE(one, other);
}

}  // namespace
}  // namespace kernmill
