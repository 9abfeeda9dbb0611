// What follows in the batch system from the end of an instance.
#include "kernmill/exec/element/consequences.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/exec/element/journal_selection.hpp"
#include "plan_support.hpp"

namespace kernmill {
namespace {

using exec::Consequences;
using exec::consequences;
using testing::command;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::one_axis;
using testing::plan;

/// A record in which all arrays of the plan were submitted, with the ids 1, 2, ...
class World {
 public:
  explicit World(std::vector<Stage> stages) : plan(testing::plan(std::move(stages))) {
    Generation generation;
    generation.number = 1;
    int job = 0;
    for (const ArrayPlan& array : plan_jobs(plan, JobPlanOptions{}))
      generation.arrays[array.key] = {to_json(array, plan), std::to_string(++job)};
    record.generations[1] = generation;
  }
  void committed(const std::string& stage, unsigned index = 0, Json metrics = Json::object()) {
    InstanceRecord& instance = attempted(stage, index, AttemptState::committed);
    instance.committed = true;
    instance.metrics = std::move(metrics);
  }
  void failed(const std::string& stage, unsigned index = 0) { attempted(stage, index, AttemptState::failed); }
  InstanceRecord& attempted(const std::string& stage, unsigned index, AttemptState state) {
    AttemptRecord attempt;
    attempt.number = 1;
    attempt.started = true;
    attempt.state = state;
    InstanceRecord& instance = record.instances[{stage, index}];
    instance.attempts = {attempt};
    return instance;
  }
  [[nodiscard]] Consequences after(const std::string& stage, unsigned index = 0,
                                   bool fail_fast = false) const {
    return consequences(plan, record, {testing::id(plan, stage, index)}, fail_fast);
  }
  Plan plan;
  RunRecord record;
};

//  a -> b -> c      d
TEST(Consequences, FailureCancelsWhatWaitsForItAndNothingElse) {
  World world({command("a"), command("b", {"a"}), command("c", {"b"}), command("d")});
  world.failed("a");
  EXPECT_THAT(world.after("a").cancelled, ElementsAre("2", "3"));
}

//  a[i] -> b[i] -> c
TEST(Consequences, FailedElementCancelsItsOwnLineAndWhatCollects) {
  World world({command("a", {}, one_axis(5)), command("b", {"a"}, one_axis(5)), command("c", {"b"})});
  world.failed("a", 3);
  EXPECT_THAT(world.after("a", 3).cancelled, ElementsAre("2_3", "3"));
  world.failed("a", 1);
  EXPECT_THAT(world.after("a", 1).cancelled, ElementsAre("2_1"));  // the rest was news before
}

TEST(Consequences, SeveralElementsAreOneRequest) {
  World world({command("a"), command("x", {}, one_axis(6)), command("b", {"a", "x"}, one_axis(6))});
  for (const unsigned i : {1, 2, 4}) world.failed("x", i);
  const Consequences all = consequences(
      world.plan, world.record,
      {testing::id(world.plan, "x", 1), testing::id(world.plan, "x", 2), testing::id(world.plan, "x", 4)});
  EXPECT_THAT(all.cancelled, ElementsAre("3_[1-2,4]"));
}

TEST(Consequences, FailuresThatAStageMayHaveCancelNothing) {
  Stage a = command("a", {}, one_axis(4));
  a.max_fails = 1;
  World world({a, command("b", {"a"})});
  world.failed("a", 0);
  EXPECT_THAT(world.after("a", 0).cancelled, IsEmpty());
  world.failed("a", 2);
  EXPECT_THAT(world.after("a", 2).cancelled, ElementsAre("2"));
}

TEST(Consequences, FailFastCancelsWhatHasNotBegun) {
  World world({command("a", {}, one_axis(4)), command("b"), command("c")});
  world.committed("a", 0);
  world.attempted("a", 1, AttemptState::open);
  world.failed("b");
  EXPECT_THAT(world.after("b", 0).cancelled, IsEmpty());
  EXPECT_THAT(world.after("b", 0, true).cancelled, ElementsAre("1_[2-3]", "3"));
}

//  a -> b (when) -> c -> e     a -> d
TEST(Consequences, FalseConditionSkipsAndCancelsWhatIsSkippedWithIt) {
  Stage b = command("b", {"a"});
  b.when = "${{ stages.a.loss < 0.1 }}";
  World world({command("a"), b, command("c", {"b"}), command("d", {"a"}), command("e", {"c"})});
  world.committed("a", 0, {{"loss", 0.5}});
  const Consequences all = world.after("a");
  ASSERT_EQ(all.skipped.size(), 1U);
  EXPECT_EQ(all.skipped[0].id, testing::id(world.plan, "b"));
  EXPECT_EQ(all.skipped[0].why, "${{ stages.a.loss < 0.1 }} is false");
  EXPECT_THAT(all.cancelled, ElementsAre("2", "3", "5"));
}

TEST(Consequences, TrueConditionOrOneThatCannotBeComputedCancelsNothing) {
  Stage b = command("b", {"a"}), c = command("c", {"a"});
  b.when = "${{ stages.a.loss < 0.1 }}";
  c.when = "${{ stages.a.no_such_metric < 0.1 }}";
  World world({command("a"), b, c});
  world.committed("a", 0, {{"loss", 0.05}});
  EXPECT_TRUE(world.after("a").skipped.empty());
  EXPECT_THAT(world.after("a").cancelled, IsEmpty());
}

TEST(Consequences, ConditionIsJudgedWhenAllParentsHaveSettled) {
  Stage c = command("c", {"a", "b"});
  c.when = "${{ stages.a.loss < 0.1 }}";
  World world({command("a"), command("b"), c});
  world.committed("a", 0, {{"loss", 0.5}});
  EXPECT_TRUE(world.after("a").skipped.empty());
  world.committed("b");
  EXPECT_EQ(world.after("b").skipped.size(), 1U);
}

//  a[i] -> b[i] (when) -> c
TEST(Consequences, StageThatCollectsGoesOnWithThoseThatRan) {
  Stage b = command("b", {"a"}, one_axis(3));
  b.when = "${{ matrix.x > 0 }}";
  World world({command("a", {}, one_axis(3)), b, command("c", {"b"})});
  world.committed("a", 0);
  EXPECT_THAT(world.after("a", 0).cancelled, ElementsAre("2_0"));
}

TEST(Consequences, ElementOfSeveralGoesWhenAllOfThemDo) {
  Stage a = command("a", {}, one_axis(4)), b = command("b", {"a"}, one_axis(4));
  a.pack = b.pack = 2;
  World world({a, b});
  world.failed("a", 0);
  EXPECT_THAT(world.after("a", 0).cancelled, IsEmpty());
  world.failed("a", 1);
  EXPECT_THAT(world.after("a", 1).cancelled, ElementsAre("2_0"));
}

TEST(Consequences, ArraysOfAnOlderSubmissionAreLeftAlone) {
  World world({command("a"), command("b", {"a"})});
  Generation newer = world.record.generations[1];
  newer.number = 2;
  newer.arrays["a.0"].job = "11";
  newer.arrays["b.0"].job = "12";
  world.record.generations[2] = newer;
  world.failed("a");
  EXPECT_THAT(world.after("a").cancelled, ElementsAre("12"));
}

TEST(JournalSelection, TakesTheFilesOfAnInstanceAndItsParentsAlone) {
  const World world({command("a", {}, one_axis(12)), command("b", {"a"}, one_axis(12)), command("c", {"b"})});
  const auto arrays = submitted_arrays(world.plan, world.record);
  exec::JournalSelection one, all;
  one.add_instance(world.plan, arrays, testing::id(world.plan, "b", 1));
  one.add_parents(world.plan, arrays, testing::id(world.plan, "b", 1));
  for (const char* file :
       {"1_1.0.n1.site.org.exec.jsonl", "2_1.3.n1.exec.jsonl", "submit-1.0.submit.submit.jsonl",
        "a.1.1-42.0.n1.exec.jsonl", "conductor-42.0.n1.conductor.jsonl", "1_1-g1.0.n1.exec.jsonl"})
    EXPECT_TRUE(one.wants(file)) << file;
  for (const char* file : {"1_10.0.n1.exec.jsonl", "1_11.0.n1.exec.jsonl", "3.0.n1.exec.jsonl",
                           "a.11.1-42.0.n1.exec.jsonl", "1_10-g1.0.n1.exec.jsonl"})
    EXPECT_FALSE(one.wants(file)) << file;
  all.add_parents(world.plan, arrays, testing::id(world.plan, "c"));
  EXPECT_TRUE(all.wants("2_10.0.n1.exec.jsonl"));
  EXPECT_TRUE(all.wants("2_10-g1.0.n1.exec.jsonl"));
  EXPECT_FALSE(all.wants("1_10.0.n1.exec.jsonl"));
  EXPECT_FALSE(all.wants("22_10.0.n1.exec.jsonl"));
}

}  // namespace
}  // namespace kernmill
