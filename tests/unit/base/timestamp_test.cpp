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

TEST(Timestamp, IsReadBackAsItWasWritten) {
  EXPECT_EQ(milliseconds_of("2026-11-21T04:05:06.045Z"), 1'795'233'906'045);
  EXPECT_EQ(milliseconds_of(utc_timestamp(moment - 40'000h)), (moment - 40'000h).time_since_epoch() / 1ms);
  EXPECT_EQ(milliseconds_of("1969-12-31T23:59:59.999Z"), -1);
}

TEST(Timestamp, InAnotherFormIsNone) {
  for (const char* text : {"", "2026-11-21T04:05:06Z", "2026-11-21 04:05:06.045Z", "2026-11-21T04:05:06.045+",
                           "2026-13-21T04:05:06.045Z", "2026-02-30T04:05:06.045Z", "2026-11-21T24:05:06.045Z",
                           "2026-11-21T04:05:60.045Z", "x026-11-21T04:05:06.045Z"})
    EXPECT_EQ(milliseconds_of(text), std::nullopt) << text;
}

TEST(UtcText, IsToTheSecond) {
  EXPECT_EQ(utc_text(moment, "%Y%m%d-%H%M%S"), "20261121-040506");
}

}  // namespace
}  // namespace kernmill
