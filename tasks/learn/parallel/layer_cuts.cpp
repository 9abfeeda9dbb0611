#include "kernmill/tasks/learn/parallel/layer_cuts.hpp"

#include <algorithm>

namespace kernmill::tasks {

Cut cut_of(std::size_t layer, std::size_t layers, std::uint64_t slices) {
  if (slices == 1) return Cut::none;
  return layer % 2 == 1 || layer + 1 == layers ? Cut::inputs : Cut::outputs;
}

namespace {

/// Layers from the first one on until the stage would have more than `most` weights.
std::vector<storage::IndexRange> filled(std::span<const std::uint64_t> weights, std::uint64_t stages,
                                        std::uint64_t most) {
  std::vector<storage::IndexRange> out;
  std::uint64_t at = 0;
  for (std::uint64_t stage = 0; stage < stages; ++stage) {
    const std::uint64_t latest = weights.size() - (stages - stage - 1);  // each later one gets a layer
    std::uint64_t end = at + 1, sum = weights[at];
    while (end < latest && sum + weights[end] <= most) sum += weights[end++];
    out.push_back({at, end});
    at = end;
  }
  return out;
}

std::uint64_t largest(std::span<const std::uint64_t> weights,
                      const std::vector<storage::IndexRange>& stages) {
  std::uint64_t most = 0;
  for (const storage::IndexRange& stage : stages) {
    std::uint64_t sum = 0;
    for (std::uint64_t i = stage.begin; i < stage.end; ++i) sum += weights[i];
    most = std::max(most, sum);
  }
  return most;
}

}  // namespace

std::vector<storage::IndexRange> stages_of(std::span<const std::uint64_t> widths, std::uint64_t stages) {
  std::vector<std::uint64_t> weights;
  std::uint64_t low = 0, high = 0;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    weights.push_back(widths[i] * widths[i + 1]);
    low = std::max(low, weights.back());
    high += weights.back();
  }
  const auto fits = [&](std::uint64_t most) {
    const auto cut = filled(weights, stages, most);
    return cut.back().end == weights.size() && largest(weights, cut) <= most;
  };
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    fits(middle) ? void(high = middle) : void(low = middle + 1);
  }
  return filled(weights, stages, low);
}

std::vector<LayerCut> layers_of(std::span<const std::uint64_t> widths, const Layout& layout,
                                const Place& place) {
  const std::size_t count = widths.size() - 1;
  const std::uint64_t own = layout.slices / layout.tensor;
  const storage::IndexRange stage = stages_of(widths, layout.pipeline)[place.stage];
  std::vector<LayerCut> layers;
  for (std::size_t i = stage.begin; i < stage.end; ++i) {
    LayerCut layer{widths[i], widths[i + 1], cut_of(i, count, layout.slices)};
    layer.input_is_whole = i == 0 || cut_of(i - 1, count, layout.slices) != Cut::outputs;
    if (layer.cut != Cut::none) {
      layer.all_slices = layout.slices;
      layer.first_slice = place.tensor * own;
      layer.slices = own;
    }
    layers.push_back(layer);
  }
  return layers;
}

std::vector<ParameterBlock> blocks_of(const NetworkShape& shape, const Layout& layout, const Place& place) {
  const std::vector<std::uint64_t>& widths = shape.widths;
  std::size_t number = stages_of(widths, layout.pipeline)[place.stage].begin, offset = 0;
  std::vector<ParameterBlock> blocks;
  const auto add = [&](ParameterBlock block) {
    block.offset = offset;
    offset += block.rows * block.columns;
    blocks.push_back(block);
  };
  for (const LayerCut& layer : layers_of(widths, layout, place)) {
    const std::uint64_t rows = layer.slice_inputs(), columns = layer.slice_outputs();
    const std::size_t tensor = number * (shape.layer_norm ? 4 : 2);
    const bool by_inputs = layer.cut == Cut::inputs;
    const bool is_normed = shape.layer_norm && number + 2 < widths.size();
    ++number;
    const std::uint64_t first = by_inputs ? 0 : layer.first_slice,
                        behind = by_inputs ? 1 : first + layer.slices;
    for (std::uint64_t i = layer.first_slice; i < layer.first_slice + layer.slices; ++i)
      add({tensor, by_inputs ? i * rows : 0, rows, by_inputs ? 0 : i * columns, columns});
    for (std::uint64_t i = first; i < behind; ++i) add({tensor + 1, 0, 1, i * columns, columns});
    for (std::uint64_t i = first; is_normed && i < behind; ++i) {
      add({tensor + 2, 0, 1, i * columns, columns});
      add({tensor + 3, 0, 1, i * columns, columns});
    }
  }
  return blocks;
}

}  // namespace kernmill::tasks
