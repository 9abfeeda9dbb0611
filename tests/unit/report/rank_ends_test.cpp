#include "kernmill/report/rank_ends.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "temporary_directory.hpp"

namespace kernmill {
namespace {

std::string line(const std::string& second, int rank, const std::string& how) {
  return R"({"v":1,"time":"2026-11-21T04:05:0)" + second +
         R"(Z","event":"rank_ended","stage":"fit","instance":3,)" +
         R"("attempt":2,"job":"12_3","step":"0","rank":)" + std::to_string(rank) +
         R"(,"node":"n2","pid":77,)" + how + "}\n";
}

TEST(RankEnds, TheFirstThatFailedIsTheOneToLookAt) {
  const testing::TemporaryDirectory journal;
  std::ofstream(journal.path() / "12_3.1.n2.spank-0.jsonl")
      << line("1.0", 0, R"("exit_code":0)") << line("7.5", 1, R"("signal":15,"memory":1024)")
      << line("7.1", 3, R"("signal":9,"memory":4187593113)");
  std::ofstream(journal.path() / "12_3.1.n2.exec.jsonl") << line("0.0", 9, R"("signal":11)");
  const auto first = first_failed_ranks(journal.path());
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(to_string(first.at({"fit", 3, 2})),
            "rank 3 on n2 was the first to fail: signal 9, at most 3.9 GiB");
}

TEST(RankEnds, WithoutThePluginNothingIsKnown) {
  const testing::TemporaryDirectory journal;
  EXPECT_TRUE(first_failed_ranks(journal.path()).empty());
}

}  // namespace
}  // namespace kernmill
