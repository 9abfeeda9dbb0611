#include "kernmill/tasks/learn/train/memory_need.hpp"

#include <vector>

#include <gmock/gmock.h>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr double mebibyte = 1 << 20;

OptimizerSettings adam(std::uint64_t batch_size) {
  OptimizerSettings settings;
  settings.type = OptimizerType::adam;
  settings.epochs = 1;
  settings.batch_size = batch_size;
  return settings;
}

/// Four ranks on one node with 400 MiB.
constexpr MemoryLayout four{4, 4, 400 * mebibyte, 50 * mebibyte, false};

std::string refusal(const OptimizerSettings& optimizer, const NetworkShape& network, const RowsSize& rows,
                    const MemoryLayout& layout) {
  try {
    require_room(optimizer, network, rows, layout);
  } catch (const TaskError& error) {
    return std::string(error.what()) + "\n" + error.help;
  }
  return {};
}

const NetworkShape small{.widths = {100, 10}}, wide{.widths = {1000, 1000, 1000}};

TEST(MemoryNeed, CountsWhatAMethodKeepsOfTheModel) {
  const double vector = 8.0 * (100 * 10 + 10);
  EXPECT_EQ(memory_need(adam(32), small, {1000, 800}, four).model, 14 * vector);
  EXPECT_EQ(memory_need({}, small, {1000, 800}, four).model, (2 * 10 + 16) * vector);
  OptimizerSettings newton;
  newton.type = OptimizerType::newton;
  EXPECT_EQ(memory_need(newton, small, {1000, 800}, four).model,
            (2 * 10 + 16) * vector + 4.0 * 3 * 101 * (101 + 2 * 101 + 512))
      << "factors of 3 of 10 outputs, and their rows on the way from rank to rank";
  MemoryLayout keeps = four;
  keeps.keeps_checkpoints = true;
  EXPECT_EQ(memory_need(adam(32), small, {1000, 800}, keeps).checkpoints, 6 * vector);
}

TEST(MemoryNeed, SharesRowsOutAndKeepsThoseThatFit) {
  EXPECT_EQ(memory_need({}, small, {1000, 800}, four).rows, 250 * 808);
  EXPECT_EQ(memory_need({}, small, {10'000'000, 800}, four).rows, 2 * 4096 * 808) << "read when wanted";
  EXPECT_EQ(memory_need(adam(400), small, {1000, 800}, four).rows, 2 * 100 * 808);
}

TEST(MemoryNeed, CountsTheRowsThatARankHasOnTheirWay) {
  const auto activations = [](const Layout& layers) {
    MemoryLayout layout{static_cast<int>(layers.ranks()), 1, 0, 0, false, layers};
    return memory_need(adam(512), wide, {1000, 8000}, layout).activations;
  };
  const double row = 2 * 2000 * 8;  // values and deltas of all units; 16 pieces of 32 rows
  EXPECT_EQ(activations({1}), row * 512);
  EXPECT_EQ(activations({4}), row * 128);
  EXPECT_EQ(activations({64}), row * 32);
  EXPECT_EQ(activations({1, 1, 2, 1}), row / 2 * 32 * 2) << "two micro-batches of half of the layers";
  EXPECT_EQ(activations({1, 2, 1, 2}), row * 3 / 4 * 512) << "layers cut by inputs have all their outputs";
}

TEST(MemoryNeed, IsThatOfAPartOfTheNetworkWhereLayersAreShared) {
  const auto model = [](const Layout& layers) {
    MemoryLayout layout{static_cast<int>(layers.ranks()), 1, 0, 0, false, layers};
    return memory_need(adam(32), wide, {1000, 8000}, layout).model;
  };
  const double vector = 8.0 * 2 * 1001 * 1000;
  EXPECT_EQ(model({4}), 14 * vector);
  EXPECT_EQ(model({2, 1, 2, 1}), 14 * vector / 2 + 4 * vector);
  EXPECT_NEAR(model({1, 4, 1, 4}), 14 * vector / 4 + 4 * vector, 0.01 * vector);
}

TEST(MemoryNeed, OfRecurrentLayersCountsTheGatesOfAllSteps) {
  const NetworkShape shape{.widths = {50, 16, 16, 1}, .cell = Cell::lstm, .steps = 10};
  const auto need = [&](const Layout& layers) {
    MemoryLayout layout{static_cast<int>(layers.ranks()), 1, 0, 0, false, layers};
    return memory_need(adam(8), shape, {1000, 400}, layout);
  };
  const double parameters = 64 * (5 + 16 + 1) + 64 * (16 + 16 + 1) + 17;
  EXPECT_EQ(need({}).model, 14 * 8 * parameters);
  EXPECT_EQ(need({}).activations, 2 * 8 * 8 * (2 * 10 * 16 * 5 + 10 * 16 + 16 + 1));
  EXPECT_EQ(need({1, 2, 1, 2}).model, (14 * (parameters - 1) / 2 + 14 + 4 * parameters) * 8);
}

TEST(MemoryNeed, IsSaidInWords) {
  EXPECT_EQ(text_of({mebibyte, 2 * mebibyte, 0, 512}, four),
            "memory: about 3 MiB a rank, of 100 MiB (model and optimizer 1 MiB, activations 2 MiB, rows 0 B, "
            "checkpoints 512 B)");
}

TEST(Room, IsNotAskedForWhereThereIsEnough) {
  EXPECT_EQ(refusal(adam(32), small, {1000, 800}, four), "");
}

TEST(Room, IsMadeByASmallerBatch) {
  EXPECT_THAT(refusal(adam(1'000'000), small, {10'000'000, 800}, four),
              AllOf(HasSubstr("and each may have 100 MiB"), HasSubstr("batch_size: 125000")));
}

TEST(Room, IsMadeByFewerRanksOnANodeWhereEachHoldsTheModel) {
  EXPECT_THAT(refusal(adam(32), wide, {1000, 8000}, four),
              AllOf(HasSubstr("model and optimizer 214 MiB"), HasSubstr("1 rank a node (ntasks_per_node)"),
                    HasSubstr("of memory a node (mem)")));
}

TEST(Room, IsMadeByRanksThatShareLayers) {
  MemoryLayout far{4, 1, 180 * mebibyte, 0, false, {4, 1, 1, 1}, true};
  EXPECT_THAT(refusal(adam(32), wide, {1000, 8000}, far), HasSubstr("parallel: {tensor: 2}"));
  far.may_cut_layers = false;
  EXPECT_THAT(refusal(adam(32), wide, {1000, 8000}, far), Not(HasSubstr("parallel")));
}

TEST(Room, IsMadeByASmallerCache) {
  MemoryLayout greedy = four;
  greedy.cache = 1000 * mebibyte;
  EXPECT_THAT(refusal({}, small, {1'000'000, 800}, greedy), HasSubstr("cache: 26214400"));
}

TEST(Room, IsNotThereForAModelThatNoNodeHolds) {
  MemoryLayout alone{1, 1, 100 * mebibyte, 0, false};
  EXPECT_THAT(refusal(adam(1), wide, {1000, 8000}, alone), HasSubstr("smaller hidden layers"));
}

}  // namespace
}  // namespace kernmill::tasks
