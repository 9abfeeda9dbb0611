#include "kernmill/tasks/learn/rows/reading.hpp"

#include <gmock/gmock.h>

namespace kernmill::tasks {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Optional;
using ::testing::StartsWith;

TEST(Reading, IsComplainedOfWhenItTakesHalfOfTheTime) {
  EXPECT_THAT(complaint_about({60'000'000, 6}, 10),
              Optional(StartsWith("training waited for data 6.0 of its first 10.0 s: a rank reads 10 MB/s")));
}

TEST(Reading, ThatIsDoneAtEachIterationCouldBeSpared) {
  EXPECT_THAT(complaint_about({60'000'000, 6, true}, 10), Optional(HasSubstr("more memory (cache: 16G)")));
  EXPECT_THAT(complaint_about({60'000'000, 6}, 10), Optional(Not(HasSubstr("cache"))));
}

TEST(Reading, IsFineWhileItIsShortOrMostlyAhead) {
  EXPECT_THAT(complaint_about({60'000'000, 1.9}, 2), Eq(std::nullopt));
  EXPECT_THAT(complaint_about({60'000'000, 40}, 100), Eq(std::nullopt));
  EXPECT_THAT(complaint_about({}, 100), Eq(std::nullopt));
}

}  // namespace
}  // namespace kernmill::tasks
