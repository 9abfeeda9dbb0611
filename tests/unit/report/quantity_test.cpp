#include "kernmill/report/quantity.hpp"

#include <gtest/gtest.h>

namespace kernmill {
namespace {

using std::chrono::duration;

TEST(Quantity, DurationsKeepThreeDigitsThatMatter) {
  EXPECT_EQ(duration_text(duration<double>(0.412)), "0.41 s");
  EXPECT_EQ(duration_text(duration<double>(12.34)), "12.3 s");
  EXPECT_EQ(duration_text(duration<double>(125)), "2 min 05 s");
  EXPECT_EQ(duration_text(duration<double>(3720)), "1 h 02 min");
  EXPECT_EQ(duration_text(duration<double>(3 * 86400 + 4 * 3600)), "3 d 04 h");
}

TEST(Quantity, DurationsNeverShowSixtySeconds) {
  EXPECT_EQ(duration_text(duration<double>(59.96)), "1 min 00 s");
  EXPECT_EQ(duration_text(duration<double>(9.996)), "10.0 s");
}

TEST(Quantity, MetricsKeepFourDigits) {
  EXPECT_EQ(number_text(Json(29.0 / 30)), "0.9667");
  EXPECT_EQ(number_text(Json(150)), "150");
  EXPECT_EQ(number_text(Json("setosa")), "setosa");
}

TEST(Quantity, MetricsOfAKindComeInTheOrderOfTheirWeight) {
  const Json metrics{{"rows", 30}, {"log_loss", 0.1}, {"accuracy", 0.95}, {"correct", 28}};
  EXPECT_EQ(metrics_text(TaskKind::evaluate, metrics, 3), "accuracy 0.95  correct 28  rows 30");
}

TEST(Quantity, MetricsOfACommandComeAsItWroteThem) {
  EXPECT_EQ(metrics_text(TaskKind::command, {{"b", 1}, {"a", 2}}), "b 1  a 2");
}

TEST(Quantity, BytesHaveBinaryUnits) {
  EXPECT_EQ(bytes_text(512), "512 B");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
}

TEST(Quantity, TimesAreSubtractedAcrossMidnight) {
  const auto took = between("2026-11-21T23:59:59.500Z", "2026-11-22T00:00:01.000Z");
  ASSERT_TRUE(took);
  EXPECT_NEAR(took->count(), 1.5, 1e-6);
  EXPECT_FALSE(between("", "2026-11-22T00:00:01.000Z"));
  EXPECT_EQ(between("2026-11-22T00:00:01.000Z", "2026-11-21T23:59:59.500Z")->count(), 0.0)
      << "of two hosts, one of which is behind";
}

TEST(Quantity, OfATextCannotSteerTheTerminal) {
  EXPECT_EQ(number_text("a\x1b[31m\rb\xff\tc"), "a\uFFFD[31m\uFFFDb\uFFFD\uFFFDc");
}

}  // namespace
}  // namespace kernmill
