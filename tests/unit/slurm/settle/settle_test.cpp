#include "kernmill/slurm/settle/settle.hpp"

#include <gtest/gtest.h>

#include "settled.hpp"

namespace kernmill::slurm {
namespace {

TEST(SlurmOptions, TasksAndNodesAreWorkedOutAsSbatchDoes) {
  EXPECT_EQ(settled({{"ntasks", "8"}, {"cpus-per-task", "4"}}).min_cpus, 32U);
  EXPECT_EQ(settled({{"nodes", "3"}}).min_cpus, 3U);
  EXPECT_EQ(settled({{"nodes", "3"}}).ntasks, std::nullopt);
  EXPECT_EQ(settled({{"nodes", "2-8"}, {"ntasks", "4"}}).nodes_max, 4U);
  EXPECT_EQ(settled({{"nodes", "3"}, {"ntasks", "2"}}).nodes_min, 2U);
  EXPECT_EQ(settled({{"nodelist", "n[1-3]"}}).nodes_min, 3U);
  EXPECT_EQ(settled({{"nodes", "2"}, {"ntasks-per-node", "3"}}).ntasks, 6U);
}

TEST(SlurmOptions, NewerReleasesWorkOutNodesFromTasks) {
  const Dialect newer{.slash_tres = true, .nodes_from_tasks = true};
  EXPECT_EQ(settled({{"ntasks", "5"}, {"ntasks-per-node", "2"}}, newer).nodes_min, 3U);
  const JobRequest request = settled({{"nodes", "2"}, {"ntasks-per-node", "3"}}, newer);
  EXPECT_EQ(request.ntasks, std::nullopt);
  EXPECT_EQ(request.min_cpus, 6U);
}

}  // namespace
}  // namespace kernmill::slurm
