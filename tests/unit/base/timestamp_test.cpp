#include "kernmill/base/timestamp.hpp"

#include <gtest/gtest.h>

namespace kernmill {
namespace {

using namespace std::chrono_literals;
constexpr std::chrono::system_clock::time_point moment{1'795'233'906'045ms};

TEST(Timestamp, HasMilliseconds) {
  EXPECT_EQ(utc_timestamp(moment), "2026-11-21T04:05:06.045Z");
  EXPECT_EQ(utc_timestamp(moment + 1s - 45ms), "2026-11-21T04:05:07.000Z");
  EXPECT_EQ(utc_timestamp().size(), utc_timestamp(moment).size());
}

TEST(UtcText, IsToTheSecond) {
  EXPECT_EQ(utc_text(moment, "%Y%m%d-%H%M%S"), "20261121-040506");
}

}  // namespace
}  // namespace kernmill
