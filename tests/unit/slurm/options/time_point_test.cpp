#include <cstdlib>
#include <ctime>
#include <stdexcept>

#include <gtest/gtest.h>

#include "kernmill/slurm/options/value_formats.hpp"

namespace kernmill::slurm {
namespace {

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

}  // namespace
}  // namespace kernmill::slurm
