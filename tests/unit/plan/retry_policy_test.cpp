// Whether an attempt that has ended is followed by another.
#include "kernmill/plan/retry_policy.hpp"

#include <ostream>
#include <string>

#include <gtest/gtest.h>

namespace kernmill {
namespace {

using How = Ended::How;
using What = Retry::What;

Retries policy(int max) {
  Retries retries;
  retries.max = max;
  retries.mem_factor = 2;
  retries.time_factor = 1.5;
  return retries;
}

/// With one failure so far, of a job that had 3 times the memory and 5 times the time of the plan.
struct Case {
  std::string name;
  int max;
  Ended ended;
  Retry expected;
};

void PrintTo(const Case& given, std::ostream* out) {
  *out << given.name;
}

class RetryPolicyTable : public testing::TestWithParam<Case> {};

TEST_P(RetryPolicyTable, DecidesAsExpected) {
  const Case& given = GetParam();
  const Retry retry = retry_after(policy(given.max), {1, 3.0, 5.0}, given.ended);
  EXPECT_EQ(retry.what, given.expected.what);
  if (retry.what != What::again) return;
  EXPECT_EQ(retry.counts, given.expected.counts);
  EXPECT_EQ(retry.mem_factor, given.expected.mem_factor);
  EXPECT_EQ(retry.time_factor, given.expected.time_factor);
}

INSTANTIATE_TEST_SUITE_P(
    RetryPolicy, RetryPolicyTable,
    testing::Values(
        Case{"MoreMemoryAfterOutOfMemory", 2, {How::failed, Cause::oom, false}, {What::again, true, 6, 5}},
        Case{"MoreTimeAfterATimeout", 2, {How::failed, Cause::timeout, false}, {What::again, true, 3, 7.5}},
        Case{"ATaskThatStoppedForTimeHadATimeout",
             2,
             {How::stopped, Cause::timeout, false},
             {What::again, true, 3, 7.5}},
        Case{"TheSameAfterItsNodeFailed",
             2,
             {How::failed, Cause::node_fail, false},
             {What::again, true, 3, 5}},
        Case{"TheSameAfterAStall", 2, {How::failed, Cause::stalled, false}, {What::again, true, 3, 5}},
        Case{"AStallCountsWhateverItLeft", 2, {How::failed, Cause::stalled, true}, {What::again, true, 3, 5}},
        Case{"NoneAfterAStallWithoutRetries", 0, {How::failed, Cause::stalled, true}, {What::none}},
        Case{"ATimeoutWithANewCheckpointIsFree",
             0,
             {How::failed, Cause::timeout, true},
             {What::again, false, 3, 5}},
        Case{"AStopForTimeWithANewCheckpointIsFree",
             0,
             {How::stopped, Cause::timeout, true},
             {What::again, false, 3, 5}},
        Case{"PreemptionIsFree", 0, {How::stopped, Cause::preempted, false}, {What::again, false, 3, 5}},
        Case{"OutOfMemoryCountsWhateverItLeft", 1, {How::failed, Cause::oom, true}, {What::none}},
        Case{"NoneAfterTheLastRetry", 1, {How::failed, Cause::timeout, false}, {What::none}},
        Case{"NoneForACauseThatIsNotNamed", 9, {How::failed, Cause::error, true}, {What::none}},
        Case{"WhoeverWasCancelledGivesWay", 9, {How::stopped, Cause::cancelled, true}, {What::give_way}}),
    [](const auto& one) { return one.param.name; });

// A pack has no retries of its own: each of its instances is judged like this, and only the time limit of the
// instance, not that of the element, is what it may have run into.
TEST(RetryPolicy, AnInstanceThatSavesBeforeEachTimeLimitGoesOnForever) {
  EarlierTries tries{0, 1.0, 1.5};
  for (int limit = 0; limit < 5; ++limit) {
    const Retry retry = retry_after(policy(0), tries, {How::failed, Cause::timeout, true});
    ASSERT_EQ(retry.what, What::again);
    EXPECT_FALSE(retry.counts) << "it got further";
    EXPECT_EQ(retry.time_factor, 1.5) << "it needs another round, not a longer one";
    tries = {tries.failures + (retry.counts ? 1 : 0), retry.mem_factor, retry.time_factor};
  }
  EXPECT_EQ(retry_after(policy(0), tries, {How::failed, Cause::timeout, false}).what, What::none)
      << "the last one left nothing new";
}

TEST(RetryPolicy, ATimeoutWithANewCheckpointIsFreeWhateverCausesAreNamed) {
  Retries retries = policy(0);
  retries.on = {"oom"};
  EXPECT_EQ(retry_after(retries, {}, {How::failed, Cause::timeout, true}).what, What::again);
  EXPECT_EQ(retry_after(retries, {}, {How::failed, Cause::timeout, false}).what, What::none);
}

TEST(RetryPolicy, ErrorsAreTriedAgainWhenTheStageSaysSo) {
  Retries retries = policy(1);
  retries.on.emplace_back("error");
  EXPECT_EQ(retry_after(retries, {}, {How::failed, Cause::error, false}).what, What::again);
  EXPECT_EQ(retry_after(retries, {1, 1, 1}, {How::failed, Cause::error, false}).what, What::none);
}

}  // namespace
}  // namespace kernmill
