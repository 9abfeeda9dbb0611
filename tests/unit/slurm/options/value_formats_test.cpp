#include "kernmill/slurm/options/value_formats.hpp"

#include <csignal>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kernmill::slurm {
namespace {

using ::testing::Pair;

TEST(SlurmFormats, MemoryIsInMegabytesUnlessItSaysOtherwise) {
  EXPECT_EQ(parse_megabytes("500"), 500U);
  EXPECT_EQ(parse_megabytes("16G"), 16384U);
  EXPECT_EQ(parse_megabytes("1000k"), 1U);
  EXPECT_EQ(parse_megabytes("2TB"), 2U * 1024 * 1024);
  for (const char* wrong : {"", "G", "-5", "5X", "5 G", "1.5G"}) {
    EXPECT_THROW(parse_megabytes(wrong), std::invalid_argument) << wrong;
  }
}

TEST(SlurmFormats, TimesAreThoseOfSbatch) {
  EXPECT_EQ(parse_duration("90"), 90U * 60);
  EXPECT_EQ(parse_duration("90:30"), 90U * 60 + 30);
  EXPECT_EQ(parse_duration("1:30:05"), 5405U);
  EXPECT_EQ(parse_duration("2-12"), 60U * 3600);
  EXPECT_EQ(parse_duration("1-0:01"), 86460U);
  EXPECT_EQ(parse_duration("1-01:01:01"), 86400U + 3661);
  EXPECT_EQ(parse_duration("UNLIMITED"), JobRequest::no_limit);
  EXPECT_EQ(parse_minutes("0:01"), 1U) << "seconds are rounded up";
  for (const char* wrong : {"", "2h", "1:2:3:4", "-5", "1-", "x"}) {
    EXPECT_THROW(parse_duration(wrong), std::invalid_argument) << wrong;
  }
}

TEST(SlurmFormats, ANumberOfNodesMayBeARange) {
  EXPECT_THAT(parse_node_range("4"), Pair(4U, 4U));
  EXPECT_THAT(parse_node_range("2-8"), Pair(2U, 8U));
  EXPECT_THAT(parse_node_range("1k"), Pair(1024U, 1024U));
  EXPECT_THROW(parse_node_range("8-2"), std::invalid_argument);
  EXPECT_THROW(parse_node_range("two"), std::invalid_argument);
}

TEST(SlurmFormats, AWarningHasASignalAReceiverAndATime) {
  const Warning warning = parse_warning("B:USR1@120");
  EXPECT_EQ(warning.signal, SIGUSR1);
  EXPECT_EQ(warning.seconds, 120);
  EXPECT_TRUE(warning.to_batch_script);
  EXPECT_EQ(parse_warning("SIGTERM").seconds, 60);
  EXPECT_FALSE(parse_warning("10@5").to_batch_script);
  EXPECT_TRUE(parse_warning("RB:10").in_reservation);
  EXPECT_THROW(parse_warning("B:NOPE@1"), std::invalid_argument);
  EXPECT_THROW(parse_warning("USR1@soon"), std::invalid_argument);
}

}  // namespace
}  // namespace kernmill::slurm
