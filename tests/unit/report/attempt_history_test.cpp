#include "kernmill/report/attempt_history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conductor_world.hpp"
#include "kernmill/report/failure_line.hpp"
#include "kernmill/report/remedy.hpp"

namespace kernmill::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t megabyte = 1 << 20;

AttemptRecord ended(unsigned number, AttemptState state, Cause cause, const std::string& message) {
  AttemptRecord attempt;
  attempt.number = number;
  attempt.started = true;
  attempt.state = state;
  attempt.cause = cause;
  attempt.message = message;
  attempt.started_at = "2026-11-21T04:00:00.000Z";
  attempt.ended_at = "2026-11-21T04:00:12.000Z";
  return attempt;
}

class AttemptsOfAnInstance : public ::testing::Test {
 protected:
  AttemptsOfAnInstance() : plan(plan_of_stages({stage()})) {
    AttemptRecord first = ended(1, AttemptState::retrying, Cause::oom, "out of memory");
    first.mem_factor = 2;
    first.node = "n3";
    first.signal = 9;
    first.peak_memory = 99 * megabyte;
    AttemptRecord second = ended(2, AttemptState::failed, Cause::oom, "out of memory\nMemoryError");
    second.peak_memory = 199 * megabyte;
    known.attempts = {first, second};
  }
  static Stage stage() {
    Stage fit = command_stage("fit");
    fit.resources = {{"mem", "100M"}, {"time", "10m"}};
    return fit;
  }
  Plan plan;
  InstanceRecord known;
  std::map<AttemptKey, RankEnd> ranks;
};

TEST_F(AttemptsOfAnInstance, AreToldWithTheLimitsThatEachHad) {
  EXPECT_EQ(
      AttemptHistory(plan, {0, 0}, known, ranks).text(),
      "  attempt 1  failed, tried again (oom)  2026-11-21 04:00:00 UTC, took 12.0 s of 10m, on n3, signal 9 "
      "(SIGKILL), peak memory 99 MiB of 100 MiB\n"
      "    out of memory\n"
      "  attempt 2  failed (oom)  2026-11-21 04:00:00 UTC, took 12.0 s of 10m, peak memory 199 MiB of 200 "
      "MiB\n"
      "    out of memory\n"
      "    MemoryError\n");
  const Json json = AttemptHistory(plan, {0, 0}, known, ranks).json();
  EXPECT_EQ(json[1]["memory_limit"], 200 * megabyte);
  EXPECT_EQ(json[0]["time_limit"], 600);
}

TEST_F(AttemptsOfAnInstance, NameWhatToTypeWhenOneMetALimit) {
  EXPECT_EQ(
      remedy("r-1", plan, {0, 0}, known),
      "it had 200M, and its largest process had 199 MiB: kernmill resume r-1 --set fit.resources.mem=400M");
  known.attempts.back().cause = Cause::timeout;
  EXPECT_EQ(remedy("r-1", plan, {0, 0}, known),
            "its time limit was 10m: kernmill resume r-1 --set fit.resources.time=20m");
  known.attempts.back().cause = Cause::error;
  EXPECT_EQ(remedy("r-1", plan, {0, 0}, known), "");
}

TEST(FailureLine, EndsWithTheLastLineOfATraceback) {
  EXPECT_EQ(failure_line("it ended with status 3\nno luck\n"), "it ended with status 3: no luck");
  const std::string between(200, 'x');
  EXPECT_EQ(failure_line("it ended with status 1\n" + between + "\nValueError: bad"),
            "it ended with status 1: ... ValueError: bad");
  EXPECT_EQ(failure_line(between, 10), "xxxxxxxxxx ...");
  EXPECT_EQ(failure_line(""), "");
}

}  // namespace
}  // namespace kernmill::testing
