#include "kernmill/slurm/spank/rank_event.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kernmill::spank {
namespace {

TEST(SpankRankEvent, SaysHowARankEnded) {
  RankEnded event{.job = "12_3",
                  .step = "0",
                  .node = "n1",
                  .rank = 5,
                  .pid = 77,
                  .status = 9,
                  .memory = 1024,
                  .stage = "fit",
                  .instance = 3,
                  .attempt = 2};
  EXPECT_EQ(
      to_line(event, "T"),
      R"({"v":1,"time":"T","event":"rank_ended","stage":"fit","instance":3,"attempt":2,"job":"12_3","step":"0",)"
      R"("rank":5,"node":"n1","pid":77,"signal":9,"memory":1024})"
      "\n");
  event.status = 3 << 8;
  event.stage = "a \"quoted\\ \n name";
  EXPECT_THAT(to_line(event, "T"),
              ::testing::AllOf(::testing::HasSubstr(R"("exit_code":3)"),
                               ::testing::HasSubstr(R"("stage":"a \"quoted\\   name")")));
  EXPECT_EQ(utc_timestamp().size(), std::string("2026-11-21T04:05:06.123Z").size());
}

}  // namespace
}  // namespace kernmill::spank
