#include "kernmill/tasks/learn/parallel/step_cost.hpp"

#include <gmock/gmock.h>

namespace kernmill::tasks {
namespace {

/// A machine whose numbers are easy to count with: messages cost 1 s, a byte 1 ms; computing costs nothing.
Machine slow_network() {
  Machine machine;
  machine.near = machine.far = {0.5, 0.25, 0.5, 1e-3};
  machine.ranks_on_node = machine.cores = 1;
  return machine;
}

/// A row and weight costs 1 us; messages cost nothing.
Machine slow_cores() {
  Machine machine;
  machine.row = machine.lone_row = 1e-6;
  machine.ranks_on_node = machine.cores = 1'000'000;
  return machine;
}

/// 21 parameters, which a batch of 128 rows has 16 pieces for.
const TrainingStep small{{3, 4, 1}, 128, 8, Summing::exact};
/// 101 x 400 + 401 x 400 parameters, which are cut; 4 pieces.
const TrainingStep large{{100, 400, 400}, 128, 8, Summing::exact};

TEST(LogGP, PricesCollectivesByTheirRounds) {
  const Link link{0.5, 0.25, 0.5, 1e-3};
  EXPECT_DOUBLE_EQ(link.message(1000), 2);
  EXPECT_DOUBLE_EQ(allgather(link, 8, 800), 3 + 0.7) << "three doublings, and seven of eight parts";
  EXPECT_DOUBLE_EQ(allgather(link, 5, 1000), 3 + 0.8);
  EXPECT_DOUBLE_EQ(allgather(link, 5, 1e6), 4 + 800) << "a ring";
  EXPECT_DOUBLE_EQ(alltoall(link, 4, 400), 1 + 0.3 + 2 * 0.5);
  EXPECT_DOUBLE_EQ(allreduce(link, 4, 1000), 2 * 2) << "recursive doubling";
  EXPECT_DOUBLE_EQ(allreduce(link, 4, 4000), 2 * (2 + 3)) << "scattered and gathered";
  EXPECT_EQ(allgather(link, 1, 800) + alltoall(link, 1, 800) + allreduce(link, 1, 800), 0);
}

TEST(Schedule, OfEqualStagesFillsAndDrains) {
  const std::vector<StageTime> stages(4, {1, 2});
  EXPECT_DOUBLE_EQ(schedule_seconds(stages, std::vector<double>(4, 0), 8), (8 + 4 - 1) * 3.0);
  EXPECT_DOUBLE_EQ(schedule_seconds(stages, std::vector<double>(4, 0), 1), 4 * 3.0);
  EXPECT_DOUBLE_EQ(schedule_seconds(stages, std::vector<double>(4, 10), 1), 4 * 3 + 2 * 3 * 10.0);
  EXPECT_DOUBLE_EQ(schedule_seconds({stages.data(), 1}, std::vector<double>(1, 7), 8), 8 * 3.0);
}

/// forward 1, backward 1 in front of forward 3, backward 3: the second is never idle once it has begun.
TEST(Schedule, OfUnequalStagesGoesByTheSlowest) {
  const std::vector<StageTime> stages{{1, 1}, {3, 3}};
  EXPECT_DOUBLE_EQ(schedule_seconds(stages, std::vector<double>(2, 0), 5), 1 + 5 * 6 + 1.0);
}

TEST(StepCost, OfOneRankIsWhatItComputes) {
  Machine machine = slow_cores();
  machine.piece = 1e-3;
  machine.call = 1e-2;
  machine.update = 2;
  const StepCost cost = predict(machine, small, {});
  // Two products of the first layer's 12 weights, three of the last one's 4; 16 pieces of 21 parameters.
  EXPECT_NEAR(cost.compute, 128 * (12 * 2.0 / 3 + 4) * 1e-6 + 16 * (21 * 1e-3 + 2 * 1e-2), 1e-12);
  EXPECT_DOUBLE_EQ(cost.update, 21 * 2);
  EXPECT_EQ(cost.communication, 0);
  EXPECT_EQ(cost.bubble, 0);
  EXPECT_DOUBLE_EQ(cost.total(), cost.compute + cost.update);
}

TEST(StepCost, OfDataRanksIsThatOfTheOneWithMostPieces) {
  const auto compute = [](std::uint64_t ranks) {
    return predict(slow_cores(), small, {ranks, 1, 1, 1}).compute;
  };
  EXPECT_DOUBLE_EQ(compute(4), compute(1) / 4);
  EXPECT_DOUBLE_EQ(compute(3), compute(1) * 6 / 16);
  EXPECT_DOUBLE_EQ(compute(16), compute(1) / 16);
  EXPECT_DOUBLE_EQ(compute(4096), compute(1) / 16) << "more ranks than pieces have nothing to do";
}

TEST(StepCost, OfShortGradientsIsOneMessageOfAll) {
  // Two ranks with a subtree each: 2 x 21 numbers, 16 losses of 2 and a wish of each rank; one doubling.
  EXPECT_DOUBLE_EQ(predict(slow_network(), small, {2, 1, 1, 1}).communication,
                   1 + (2 * 21 + 16 * 2 + 2) * 8 / 2 * 1e-3);
}

TEST(StepCost, OfLongGradientsIsThatOfSlicesAndParameters) {
  const double bytes = (101 * 400 + 401 * 400) * 8, losses = (4 * 2 + 2) * 8;
  EXPECT_NEAR(predict(slow_network(), large, {2, 1, 1, 1}).communication,
              (1 + bytes / 2 * 1e-3) + (1 + losses / 2 * 1e-3) + (1 + bytes / 2 * 1e-3), 1e-9);
  Machine machine = slow_network();
  machine.update = 1;
  EXPECT_DOUBLE_EQ(predict(machine, large, {2, 1, 1, 1}).update, bytes / 8 / 2) << "each updates its slice";
}

TEST(StepCost, OfFastSumsHidesAllButTheLastBehindTheBackwardPass) {
  TrainingStep fast = large;
  fast.summing = Summing::fast;
  Machine machine = slow_network();
  const double bytes = (101 * 400 + 401 * 400) * 8, one = 2 * (1 + bytes / 2 * 1e-3);
  const double losses = 1 + (2 * 2 + 2) * 8 / 2 * 1e-3;
  EXPECT_NEAR(predict(machine, fast, {2, 1, 1, 1}).communication, one + losses, 1e-9);
  fast.widths = {1000, 1024, 1};  // four buckets
  const double of_computing_nothing = predict(machine, fast, {2, 1, 1, 1}).communication;
  machine.row = 1;
  EXPECT_LT(predict(machine, fast, {2, 1, 1, 1}).communication, of_computing_nothing / 3);
}

TEST(StepCost, OfTensorRanksIsTheSumsOfTheirPartialProducts) {
  // Layer 0 is cut by outputs, layer 1 by inputs: one sum of 128 x 400 numbers forward, none back.
  const double bytes = 128 * 400 * 8, agreed = 2 * 3 * 8;
  const StepCost cost = predict(slow_network(), large, {1, 2, 1, 2});
  EXPECT_NEAR(cost.communication, 2 * (1 + bytes / 2 * 1e-3) + (1 + agreed / 2 * 1e-3), 1e-9);
  EXPECT_DOUBLE_EQ(predict(slow_cores(), large, {1, 2, 1, 2}).compute,
                   predict(slow_cores(), large, {1, 1, 1, 2}).compute / 2);
}

// Hidden layers alone have something behind them; of one that is cut by inputs every rank has all units.
TEST(StepCost, CountsWhatStandsBehindHiddenLayersByTheirUnits) {
  Machine machine = slow_cores();
  machine.row = machine.lone_row = 0;
  machine.entry = 1e-6;
  const TrainingStep step{{100, 400, 200, 10}, 128, 8};
  const double both = 128 * (400 + 200) * 1e-6;
  const auto compute = [&](const Layout& layout) { return predict(machine, step, layout).compute; };
  EXPECT_NEAR(compute({}), both, 1e-12);
  EXPECT_NEAR(compute({4, 1, 1, 1}), both / 4, 1e-12);
  EXPECT_NEAR(compute({1, 2, 1, 2}), 128 * (400.0 / 2 + 200) * 1e-6, 1e-12);
  EXPECT_NEAR(compute({1, 1, 2, 1}), 128 * 400 * 1e-6, 1e-12) << "the last stage has the other 200";
}

TEST(StepCost, OfLayerNormIsThatOfSumsOverARowsUnits) {
  const auto talk = [](const Layout& layout, bool layer_norm) {
    TrainingStep step = large;  // layer 0 is cut by outputs
    step.layer_norm = layer_norm;
    return predict(slow_network(), step, layout).communication;
  };
  const auto sum = [](double numbers) { return 2 * (1 + numbers * 8 / 2 * 1e-3); };
  EXPECT_NEAR(talk({1, 2, 1, 2}, true) - talk({1, 2, 1, 2}, false), 2 * sum(128) + sum(2 * 128), 1e-9);
  EXPECT_DOUBLE_EQ(talk({2, 1, 1, 1}, true), talk({2, 1, 1, 1}, false));
}

TEST(StepCost, OfStagesWaitsWhileThePipelineFills) {
  TrainingStep even = large;
  even.widths = {400, 400, 400, 400};  // 4 pieces; stages of 2 (first: two products), 1 layers
  const StepCost cost = predict(slow_cores(), even, {1, 1, 3, 1});
  const double product = 32 * 400 * 400 * 1e-6 / 3;
  EXPECT_NEAR(cost.compute, 4 * 3 * product, 1e-9);
  EXPECT_GT(cost.bubble, 2 * 2 * product);
  const StepCost alone = predict(slow_cores(), even, {1, 1, 1, 1});
  EXPECT_GT(cost.total(), alone.total() / 3);
  EXPECT_LT(cost.total(), alone.total());
}

TEST(StepCost, OfMoreRanksThanCoresSharesThem) {
  Machine machine = slow_cores();
  machine.cores = 2;
  const double alone = predict(machine, small, {}).total();
  EXPECT_DOUBLE_EQ(predict(machine, small, {2, 1, 1, 1}).total(), alone / 2);
  EXPECT_DOUBLE_EQ(predict(machine, small, {4, 1, 1, 1}).total(), alone / 2);
  const StepCost stages = predict(machine, {{400, 400, 400, 400, 400}, 512}, {1, 1, 4, 1});
  const double whole = predict(machine, {{400, 400, 400, 400, 400}, 512}, {}).total();
  EXPECT_GE(stages.total(), whole / 2);
}

TEST(StepCost, OfNeighboursIsThatOfTheirNode) {
  Machine machine = slow_network();
  machine.near = {};
  machine.ranks_on_node = 2;
  const double tensor = predict(machine, large, {2, 2, 1, 2}).communication;
  const double far = predict(slow_network(), large, {2, 2, 1, 2}).communication;
  EXPECT_LT(tensor, far) << "tensor ranks are neighbours";
  EXPECT_GT(tensor, 0);
}

TEST(StepCost, GrowsWithTheNetworkTheBatchAndTheMessages) {
  Machine machine = slow_network();
  machine.row = machine.lone_row = 1e-6;
  machine.update = 1e-6;
  for (const Layout& layout : {Layout{}, {4, 1, 1, 1}, {1, 4, 1, 4}, {1, 1, 2, 1}, {2, 2, 2, 2}}) {
    const double cost = predict(machine, large, layout).total();
    TrainingStep more = large;
    more.batch_size *= 2;
    EXPECT_GT(predict(machine, more, layout).total(), cost);
    more = large;
    more.widths = {100, 800, 400};
    EXPECT_GT(predict(machine, more, layout).total(), cost);
    if (layout.ranks() == 1) continue;
    Machine slower = machine;
    slower.near.byte = slower.far.byte *= 2;
    EXPECT_GT(predict(slower, large, layout).total(), cost);
  }
}

}  // namespace
}  // namespace kernmill::tasks
