#include "kernmill/slurm/settle/tres.hpp"

#include <gtest/gtest.h>

#include "settled.hpp"

namespace kernmill::slurm {
namespace {

TEST(SlurmOptions, DevicesAreWrittenAsTheReleaseWantsThem) {
  const JobRequest request = settled({{"gpus-per-task", "a100:2"}, {"cpus-per-task", "4"}});
  EXPECT_EQ(tres_per_task(request, Dialect{}), "gres:gpu:a100:2");
  EXPECT_EQ(tres_bind(request, Dialect{}), "");
  const Dialect newest{.slash_tres = true, .nodes_from_tasks = true, .counts_per_task = true};
  EXPECT_EQ(tres_per_task(request, newest), "cpu=4,gres/gpu:a100=2");
  EXPECT_EQ(tres_bind(request, newest), "gres/gpu:per_task:2");
  EXPECT_EQ(with_prefix("gres:", "gpu:2,gres:nic:1"), "gres:gpu:2,gres:nic:1");
}

}  // namespace
}  // namespace kernmill::slurm
