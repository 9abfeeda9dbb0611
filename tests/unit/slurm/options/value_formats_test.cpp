#include <cstdlib>
#include <ctime>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "errors.hpp"
#include "value_formats.hpp"

namespace kernmill::slurm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
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

TEST(SlurmFormats, HostsAreCountedOnceEach) {
  EXPECT_THAT(expand_hosts("n[1-3,07],m2,n2"), ElementsAre("n1", "n2", "n3", "n07", "m2"));
  EXPECT_THAT(expand_hosts("r[1-2]n[08-09]"), ElementsAre("r1n08", "r1n09", "r2n08", "r2n09"));
  EXPECT_EQ(count_hosts("n[1-1000]"), 1000U);
  for (const char* wrong : {"n[1-", "n]", "n[3-1]", "n[a]"}) {
    EXPECT_THROW(expand_hosts(wrong), std::invalid_argument) << wrong;
  }
}

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

class SlurmTimePoint : public ::testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
  static constexpr std::time_t now = 1'893'501'000;  // 2030-01-01 12:30 UTC, a Tuesday
  static std::int64_t after_now(const char* text) { return parse_time_point(text, now) - now; }
};

TEST_F(SlurmTimePoint, CountsFromNow) {
  EXPECT_EQ(after_now("now"), 0);
  EXPECT_EQ(after_now("now+90"), 90);
  EXPECT_EQ(after_now("now+2hours"), 7200);
  EXPECT_EQ(after_now("now-1minute"), -60);
}

TEST_F(SlurmTimePoint, IsTheNextTimeAClockShowsIt) {
  EXPECT_EQ(after_now("12:31"), 60);
  EXPECT_EQ(after_now("12:30"), 86400);
  EXPECT_EQ(after_now("4:00pm"), 3 * 3600 + 1800);
  EXPECT_EQ(after_now("midnight"), 11 * 3600 + 1800);
}

TEST_F(SlurmTimePoint, IsADate) {
  EXPECT_EQ(after_now("2030-01-02T12:30:10"), 86410);
  EXPECT_EQ(after_now("2030-01-02"), 86400 - 45000);
  EXPECT_EQ(after_now("010230-12:30"), 86400);
  EXPECT_EQ(after_now("01/02/30"), 86400 - 45000);
  EXPECT_EQ(after_now("tomorrow"), 86400 - 45000);
  EXPECT_EQ(parse_time_point("uts1893501001", now), now + 1);
  for (const char* wrong : {"", "soon", "2030-02-31", "25:00", "now+2moons"}) {
    EXPECT_THROW(parse_time_point(wrong, now), std::invalid_argument) << wrong;
  }
}

TEST(SlurmErrors, WhatPassesIsToldFromWhatNeverWill) {
  using Kind = ClusterError::Kind;
  for (const int code : {1800, 5004, 1001, ECONNREFUSED, ETIMEDOUT, 1007}) {
    EXPECT_EQ(kind_of(reason_of(code)), Kind::unavailable) << code;
  }
  for (const int code : {EAGAIN, 2050, 2007, 2016, 2020})
    EXPECT_EQ(kind_of(reason_of(code)), Kind::busy) << code;
  for (const int code : {2000, 2014, 2081, 2002, 2072, 9999}) {
    EXPECT_EQ(kind_of(reason_of(code)), Kind::rejected) << code;
  }
  EXPECT_EQ(kind_of(reason_of(2017)), Kind::unknown_job);
}

TEST(SlurmErrors, AnErrorSaysWhatWhyAndTheWayOut) {
  const ClusterError error =
      make_error(Reason::array, "submit iris.fit", "Invalid job array specification", 2081);
  EXPECT_STREQ(
      error.what(),
      "cannot submit iris.fit: Slurm refuses: Invalid job array specification (error 2081); indices lie "
      "below MaxArraySize (`scontrol show config`)");
}

}  // namespace
}  // namespace kernmill::slurm
