#include <stdexcept>

#include <gtest/gtest.h>

#include "kernmill/slurm/options/value_formats.hpp"

namespace kernmill::slurm {
namespace {

TEST(SlurmFormats, ADistributionHasThreeLevels) {
  const Distribution distribution = parse_distribution("*:fcyclic:*,Pack");
  EXPECT_EQ(distribution.nodes, Distribution::Order::block);
  EXPECT_EQ(distribution.sockets, Distribution::Order::fcyclic);
  EXPECT_EQ(distribution.cores, Distribution::Order::fcyclic);
  EXPECT_EQ(distribution.pack, true);
  EXPECT_EQ(parse_distribution("plane=4").plane, 4U);
  EXPECT_TRUE(parse_distribution("arbitrary").arbitrary);
  EXPECT_THROW(parse_distribution("round"), std::invalid_argument);
}

}  // namespace
}  // namespace kernmill::slurm
