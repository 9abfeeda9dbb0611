#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/slurm/options/value_formats.hpp"

namespace kernmill::slurm {
namespace {

using ::testing::ElementsAre;

TEST(SlurmFormats, HostsAreCountedOnceEach) {
  EXPECT_THAT(expand_hosts("n[1-3,07],m2,n2"), ElementsAre("n1", "n2", "n3", "n07", "m2"));
  EXPECT_THAT(expand_hosts("r[1-2]n[08-09]"), ElementsAre("r1n08", "r1n09", "r2n08", "r2n09"));
  EXPECT_EQ(count_hosts("n[1-1000]"), 1000U);
  for (const char* wrong : {"n[1-", "n]", "n[3-1]", "n[a]"}) {
    EXPECT_THROW(expand_hosts(wrong), std::invalid_argument) << wrong;
  }
}

}  // namespace
}  // namespace kernmill::slurm
