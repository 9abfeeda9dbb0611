#include "kernmill/run/cache/lost_results.hpp"

#include <gmock/gmock.h>

#include "cache_support.hpp"

namespace kernmill::testing {
namespace {

using ::testing::HasSubstr;

/// The record of a run whose only instance has left two files.
class LostResults : public ::testing::Test {
 protected:
  LostResults() {
    InstanceRecord& fit = record_.instances[{"fit", 0}];
    fit.committed = true;
    fit.metrics = {{"loss", 0.5}};
    for (const char* name : {"model", "log"}) {
      write(path(name), "content");
      fit.artifacts.push_back({name, path(name), 7, sha256("content")});
    }
  }
  [[nodiscard]] std::string path(const std::string& name) const {
    return (directory_.path() / name).string();
  }
  [[nodiscard]] const InstanceRecord& fit() const { return *record_.find("fit", 0); }
  TemporaryDirectory directory_;
  DigestStore digests_{directory_.path()};
  RunRecord record_;
};

TEST_F(LostResults, AreNoneWhereEverythingIsAsItWas) {
  EXPECT_TRUE(take_out_lost_results(record_, digests_).empty());
  EXPECT_TRUE(fit().committed);
}

TEST_F(LostResults, OfADeletedFileAreAsNeverCommitted) {
  fs::remove(path("log"));
  const auto lost = take_out_lost_results(record_, digests_);
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].stage, "fit");
  EXPECT_EQ(lost[0].why, path("log") + " is gone");
  EXPECT_FALSE(fit().committed);
  EXPECT_TRUE(fit().artifacts.empty());
  EXPECT_TRUE(fit().metrics.empty());
}

TEST_F(LostResults, OfAFileOfAnotherSizeToo) {
  write(path("model"), "cont");
  const auto lost = take_out_lost_results(record_, digests_);
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_THAT(lost[0].why, HasSubstr("has 4 bytes, and had 7"));
}

TEST_F(LostResults, OfAFileWithAFlippedByteToo) {
  write(path("model"), "cOntent");
  const auto lost = take_out_lost_results(record_, digests_);
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_THAT(lost[0].why, HasSubstr("has been changed since it was committed"));
  EXPECT_FALSE(fit().committed);
}

}  // namespace
}  // namespace kernmill::testing
