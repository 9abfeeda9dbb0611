// The parts of a pack that know no process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/exec/attempt/plain_command.hpp"
#include "kernmill/exec/pack/pack_queue.hpp"
#include "kernmill/exec/pack/packed_program.hpp"
#include "kernmill/os/core_sets.hpp"
#include "temporary_directory.hpp"

namespace kernmill::exec {
namespace {

using ::testing::ElementsAre;
using Words = std::vector<std::string>;

TEST(PlainWords, AreThoseThatAShellWouldNotTouch) {
  EXPECT_EQ(plain_words("true"), Words{"true"});
  EXPECT_EQ(plain_words("./simulate --n=3 data/in.csv\n"), (Words{"./simulate", "--n=3", "data/in.csv"}));
  EXPECT_EQ(plain_words("exec true"), Words{"true"});
}

TEST(PlainWords, LeaveEverythingElseToAShell) {
  for (const char* command :
       {"echo $X", "a | b", "a; b", "a\nb", "cd x", "X=1 a", "a > b", "a 'b'", "ls *", "~/a", "", "a # b",
        "if x", "exec", "exec -a x y", "a {1,2}", "a \\b", "! a", "test -f x"})
    EXPECT_FALSE(plain_words(command)) << command;
}

TEST(CoreSets, AreDisjointAndAsLargeAsWanted) {
  EXPECT_THAT(split_cores({0, 1, 2, 3, 8, 9}, 2, 2), ElementsAre(CoreSet{0, 1}, CoreSet{2, 3}));
  EXPECT_THAT(split_cores({4, 5, 6}, 3, 2), ElementsAre(CoreSet{4}, CoreSet{5}, CoreSet{6}));
}

TEST(CoreSets, PinNobodyWhenThereAreFewerCoresThanSlots) {
  EXPECT_THAT(split_cores({0, 1}, 3, 1), ElementsAre(CoreSet{}, CoreSet{}, CoreSet{}));
}

TEST(PackQueue, ServesThoseThatNeedAllTheMemoryLastAndAlone) {
  PackQueue queue({{0}, {1}});
  queue.add({2, 2, 0, true});
  EXPECT_EQ(queue.next(0)->index, 0u);
  EXPECT_EQ(queue.next(1)->index, 1u);
  EXPECT_FALSE(queue.next(1)) << "somebody still runs";
  queue.add({0, 2});
  EXPECT_EQ(queue.next(1)->index, 0u);
  EXPECT_EQ(queue.next(0)->index, 2u);
  queue.add({3});
  EXPECT_FALSE(queue.next(1)) << "nobody runs beside it";
  EXPECT_EQ(queue.next(0)->index, 3u);
  EXPECT_FALSE(queue.next(0));
}

TEST(Devices, AreSharedAmongSlots) {
  Environment environment{{"CUDA_VISIBLE_DEVICES", "0,2,5,7"}};
  share_devices(environment, {1, 2, {}});
  EXPECT_EQ(value_of(environment, "CUDA_VISIBLE_DEVICES"), "5,7");
  environment = {{"CUDA_VISIBLE_DEVICES", "3"}};
  share_devices(environment, {1, 2, {}});
  EXPECT_EQ(value_of(environment, "CUDA_VISIBLE_DEVICES"), "3") << "fewer than slots: shared by all";
}

Stage stage() {
  Stage result;
  result.name = "s";
  result.config = {{"run", "true"}};
  result.matrix.axes = {{"i", {0, 1, 2, 3, 4}}};
  return result;
}

AttemptRecord attempt(unsigned number, AttemptState state, Cause cause = Cause::error) {
  AttemptRecord record;
  record.number = number;
  record.started = true;
  record.state = state;
  record.cause = cause;
  return record;
}

TEST(LeftToRun, IsWhatHasNeitherCommittedNorFailedForGood) {
  Workflow workflow;
  workflow.stages = {stage()};
  const Plan plan(workflow);
  ArrayPlan array;
  array.instances = IndexRanges(0, 4);
  array.pack = 5;
  array.attempt = 2;  // attempt 1 belongs to an earlier submission
  RunRecord record;
  record.instances[{"s", 0}].committed = true;
  record.instances[{"s", 1}].attempts = {attempt(1, AttemptState::failed), attempt(2, AttemptState::failed)};
  record.instances[{"s", 2}].attempts = {attempt(1, AttemptState::failed),
                                         attempt(2, AttemptState::retrying, Cause::oom),
                                         attempt(3, AttemptState::open)};
  record.instances[{"s", 3}].attempts = {attempt(1, AttemptState::failed),
                                         attempt(2, AttemptState::retrying)};
  const auto left = left_to_run(plan, array, 0, 3, record);
  ASSERT_EQ(left.size(), 3u);
  EXPECT_EQ(left[0].index, 2u);
  EXPECT_EQ(left[0].attempt, 4u);
  EXPECT_EQ(left[1].index, 3u);
  EXPECT_EQ(left[1].attempt, 3u);
  EXPECT_EQ(left[1].failures, 1);
  EXPECT_EQ(left[2].index, 4u);
  EXPECT_FALSE(left[2].started_before);
}

TEST(LeftToRun, ATimeLimitWithANewCheckpointIsNoFailure) {
  Workflow workflow;
  workflow.stages = {stage()};
  const Plan plan(workflow);
  ArrayPlan array;
  array.instances = IndexRanges(0, 0);
  AttemptRecord continued = attempt(1, AttemptState::retrying, Cause::timeout);
  continued.counts = false;
  AttemptRecord longer = attempt(2, AttemptState::retrying, Cause::timeout);
  longer.time_factor = 1.5;
  RunRecord record;
  record.instances[{"s", 0}].attempts = {continued, longer};
  const auto left = left_to_run(plan, array, 0, 2, record);
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].attempt, 3U);
  EXPECT_EQ(left[0].failures, 1);
  EXPECT_EQ(left[0].time, 1.5);
}

TEST(AppendAll, MakesManyRecordsDurableAtOnce) {
  testing::TemporaryDirectory directory;
  std::string order;
  JournalWriter journal(directory.path(), "1", 0, "exec",
                        [&order](const Record&, bool durable) { order += durable ? 'd' : 'b'; });
  journal.append_all({Record{"started"}, Record{"committed"}, Record{"started"}});
  EXPECT_EQ(order, "bbbddd");
  EXPECT_EQ(read_journal_file(journal.path()).size(), 3u);
}

}  // namespace
}  // namespace kernmill::exec
