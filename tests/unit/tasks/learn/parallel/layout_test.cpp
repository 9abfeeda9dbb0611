#include <gmock/gmock.h>

#include "kernmill/tasks/learn/parallel/layer_cuts.hpp"
#include "kernmill/tasks/learn/parallel/schedule.hpp"

namespace kernmill::tasks {
namespace {

TEST(Layout, TensorRanksAreNeighbours) {
  const Layout layout{3, 2, 4, 2};
  EXPECT_EQ(place_of(layout, 0), (Place{0, 0, 0}));
  EXPECT_EQ(place_of(layout, 1), (Place{0, 1, 0}));
  EXPECT_EQ(place_of(layout, 2), (Place{1, 0, 0}));
  EXPECT_EQ(place_of(layout, 6), (Place{0, 0, 1}));
  for (std::uint64_t rank = 0; rank < layout.ranks(); ++rank)
    EXPECT_EQ(rank_of(layout, place_of(layout, rank)), rank);
}

TEST(Layout, StagesAreBalancedByTheirWeights) {
  const auto stages = stages_of({.widths = {100, 10, 10, 10, 10}}, 2);  // 1000, 100, 100, 100 weights
  EXPECT_EQ(stages[0].end, 1U);
  EXPECT_EQ(stages[1].end, 4U);
}

TEST(Layout, StagesOfRecurrentLayersAreBalancedByWhatTheirStepsDo) {
  const NetworkShape shape{.widths = {10, 2, 2, 2, 100}, .cell = Cell::gru, .steps = 10};
  const auto stages = stages_of(shape, 2);  // 180, 240, 240 and 200 products of a row
  EXPECT_EQ(stages[0].end, 2U);
}

TEST(Layout, EveryStageHasALayer) {
  const auto stages = stages_of({.widths = {1, 1, 1, 100, 100}}, 4);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(stages[i].begin, i);
}

TEST(Layout, LayersAreCutInPairsAndALastOneByItsInputs) {
  const NetworkShape shape{.widths = {1, 2, 2, 2}};
  EXPECT_EQ(cut_of(shape, 0, 2), Cut::outputs);
  EXPECT_EQ(cut_of(shape, 1, 2), Cut::inputs);
  EXPECT_EQ(cut_of(shape, 2, 2), Cut::inputs);
  EXPECT_EQ(cut_of(shape, 2, 1), Cut::none);
}

/// How many ranks hold each number of each tensor.
std::vector<std::vector<int>> held_by(const NetworkShape& shape, const Layout& layout) {
  std::vector<std::vector<int>> held;
  std::vector<std::size_t> strides;
  const auto tensor = [&](std::size_t rows, std::size_t columns) {
    held.emplace_back(rows * columns);
    strides.push_back(columns);
  };
  for (std::size_t i = 0; i + 1 < shape.widths.size(); ++i) {
    const std::size_t units = shape.widths[i + 1];
    if (shape.is_recurrent(i)) {
      const SequenceShape sequence = shape.sequence(i);
      const std::size_t width = gates_of(shape.cell) * units;
      tensor(sequence.columns, width);
      tensor(units, width);
      tensor(1, width);
      continue;
    }
    tensor(shape.widths[i], units);
    tensor(1, units);
    for (int more = 0; more < 2 && shape.layer_norm && i + 2 < shape.widths.size(); ++more) tensor(1, units);
  }
  for (std::uint64_t rank = 0; rank < layout.ranks(); ++rank)
    for (const ParameterBlock& block : blocks_of(shape, layout, place_of(layout, rank)))
      for (std::size_t i = 0; i < block.size(); ++i) {
        const std::size_t at = i % block.row_length();
        ++held[block.tensor].at((block.first_row + i / block.row_length()) * strides[block.tensor] +
                                block.first_column + at / block.columns * block.gate_width +
                                at % block.columns);
      }
  return held;
}

TEST(Layout, EveryParameterIsSomebodys) {
  const auto held = held_by({.widths = {5, 8, 4, 3}}, {1, 2, 2, 4});
  for (std::size_t tensor = 0; tensor < held.size(); ++tensor)  // biases of layers cut by inputs: everybody's
    EXPECT_THAT(held[tensor], ::testing::Each(tensor == 3 || tensor == 5 ? 2 : 1)) << tensor;
}

TEST(Layout, EveryParameterOfANormIsHeldByWhoHasItsUnits) {
  const auto held = held_by({.widths = {5, 8, 4, 3}, .layer_norm = true}, {1, 2, 2, 4});
  ASSERT_EQ(held.size(), 10U);
  for (std::size_t tensor = 0; tensor < held.size(); ++tensor)
    EXPECT_THAT(held[tensor], ::testing::Each(tensor < 5 || tensor == 8 ? 1 : 2)) << tensor;
}

TEST(Layout, EveryGateOfARecurrentLayerIsHeldByWhoHasItsUnits) {
  const NetworkShape shape{.widths = {6, 8, 8, 3}, .cell = Cell::lstm, .steps = 3};
  const auto held = held_by(shape, {1, 2, 2, 4});
  ASSERT_EQ(held.size(), 8U);
  for (std::size_t tensor = 0; tensor < held.size(); ++tensor)  // the last bias is everybody's of its stage
    EXPECT_THAT(held[tensor], ::testing::Each(tensor == 7 ? 2 : 1)) << tensor;
}

TEST(Pipeline, FillsThenAlternatesThenDrains) {
  using Turns = std::vector<Turn>;
  EXPECT_EQ(
      one_forward_one_backward(0, 3, 4),
      (Turns{{true, 0}, {true, 1}, {true, 2}, {false, 0}, {true, 3}, {false, 1}, {false, 2}, {false, 3}}));
  EXPECT_EQ(one_forward_one_backward(2, 3, 2), (Turns{{true, 0}, {false, 0}, {true, 1}, {false, 1}}));
  EXPECT_EQ(one_forward_one_backward(0, 4, 1), (Turns{{true, 0}, {false, 0}}));
}

}  // namespace
}  // namespace kernmill::tasks
