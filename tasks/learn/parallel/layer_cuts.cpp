#include "kernmill/tasks/learn/parallel/layer_cuts.hpp"

#include <algorithm>
#include <utility>

namespace kernmill::tasks {

Cut cut_of(const NetworkShape& shape, std::size_t layer, std::uint64_t slices) {
  if (slices == 1) return Cut::none;
  if (shape.is_recurrent(layer)) return Cut::outputs;
  return layer % 2 == 1 || layer + 1 == shape.layer_count() ? Cut::inputs : Cut::outputs;
}

std::optional<std::uint64_t> undivided_width(const NetworkShape& shape, std::uint64_t slices) {
  for (std::size_t i = 0; i < shape.layer_count(); ++i) {
    const Cut cut = cut_of(shape, i, slices);
    const std::uint64_t width = shape.widths[cut == Cut::outputs ? i + 1 : i];
    if (cut != Cut::none && width % slices != 0) return width;
  }
  return std::nullopt;
}

namespace {

/// Products of a row of the whole layer.
std::uint64_t products_of(const NetworkShape& shape, std::size_t layer) {
  if (!shape.is_recurrent(layer)) return shape.widths[layer] * shape.widths[layer + 1];
  const SequenceShape sequence = shape.sequence(layer);
  return sequence.steps * sequence.weights_of(sequence.hidden);
}

/// Layers from the first one on until the stage would have more than `most` products.
std::vector<storage::IndexRange> filled(std::span<const std::uint64_t> products, std::uint64_t stages,
                                        std::uint64_t most) {
  std::vector<storage::IndexRange> out;
  std::uint64_t at = 0;
  for (std::uint64_t stage = 0; stage < stages; ++stage) {
    const std::uint64_t latest = products.size() - (stages - stage - 1);  // each later one gets a layer
    std::uint64_t end = at + 1, sum = products[at];
    while (end < latest && sum + products[end] <= most) sum += products[end++];
    out.push_back({at, end});
    at = end;
  }
  return out;
}

std::uint64_t largest(std::span<const std::uint64_t> products,
                      const std::vector<storage::IndexRange>& stages) {
  std::uint64_t most = 0;
  for (const storage::IndexRange& stage : stages) {
    std::uint64_t sum = 0;
    for (std::uint64_t i = stage.begin; i < stage.end; ++i) sum += products[i];
    most = std::max(most, sum);
  }
  return most;
}

}  // namespace

std::vector<storage::IndexRange> stages_of(const NetworkShape& shape, std::uint64_t stages) {
  std::vector<std::uint64_t> products;
  std::uint64_t low = 0, high = 0;
  for (std::size_t i = 0; i < shape.layer_count(); ++i) {
    products.push_back(products_of(shape, i));
    low = std::max(low, products.back());
    high += products.back();
  }
  const auto fits = [&](std::uint64_t most) {
    const auto cut = filled(products, stages, most);
    return cut.back().end == products.size() && largest(products, cut) <= most;
  };
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    fits(middle) ? void(high = middle) : void(low = middle + 1);
  }
  return filled(products, stages, low);
}

std::vector<FeatureBlock> feature_blocks(const LayerCut& layer) {
  const std::uint64_t inputs = layer.slice_inputs();
  std::vector<FeatureBlock> blocks;
  for (std::uint64_t i = 0; i < layer.slices; ++i)
    blocks.push_back(
        {layer.cut == Cut::inputs ? (layer.first_slice + i) * inputs : 0, inputs, layer.slice_outputs()});
  return blocks;
}

std::vector<LayerCut> layers_of(const NetworkShape& shape, const Layout& layout, const Place& place) {
  const std::uint64_t own = layout.slices / layout.tensor;
  const storage::IndexRange stage = stages_of(shape, layout.pipeline)[place.stage];
  const auto whole = [&](std::size_t i) {
    LayerCut layer{shape.widths[i], shape.widths[i + 1], cut_of(shape, i, layout.slices)};
    if (shape.is_recurrent(i)) {
      layer.sequence = shape.sequence(i);
      layer.inputs = layer.sequence->inputs();
      layer.outputs = layer.sequence->outputs();
    }
    return layer;
  };
  std::vector<LayerCut> layers;
  for (std::size_t i = stage.begin; i < stage.end; ++i) {
    LayerCut layer = whole(i);
    layer.input_is_whole = i == 0 || whole(i - 1).output_is_whole();
    if (layer.cut != Cut::none) {
      layer.all_slices = layout.slices;
      layer.first_slice = place.tensor * own;
      layer.slices = own;
    }
    layers.push_back(layer);
  }
  return layers;
}

namespace {

/// Puts blocks behind each other.
class Blocks {
 public:
  /// `tensor` is the layer's first.
  void add_dense(const LayerCut& layer, std::size_t tensor, bool is_normed) {
    const std::uint64_t rows = layer.slice_inputs(), columns = layer.slice_outputs();
    const bool by_inputs = layer.cut == Cut::inputs;
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
  void add_recurrent(const LayerCut& layer, std::size_t tensor) {
    const SequenceShape& shape = *layer.sequence;
    const std::uint64_t units = layer.slice_units(), gates = gates_of(shape.cell);
    for (std::uint64_t i = layer.first_slice; i < layer.first_slice + layer.slices; ++i) {
      add({tensor, 0, shape.columns, i * units, units, gates, shape.hidden});
      add({tensor + 1, 0, shape.hidden, i * units, units, gates, shape.hidden});
      add({tensor + 2, 0, 1, i * units, units, gates, shape.hidden});
    }
  }
  [[nodiscard]] std::vector<ParameterBlock> all() && { return std::move(blocks_); }

 private:
  void add(ParameterBlock block) {
    block.offset = blocks_.empty() ? 0 : blocks_.back().offset + blocks_.back().size();
    blocks_.push_back(block);
  }
  std::vector<ParameterBlock> blocks_;
};

}  // namespace

std::vector<ParameterBlock> blocks_of(const NetworkShape& shape, const Layout& layout, const Place& place) {
  const std::size_t tensors = shape.cell != Cell::none ? 3 : shape.layer_norm ? 4 : 2;
  std::size_t number = stages_of(shape, layout.pipeline)[place.stage].begin;
  Blocks blocks;
  for (const LayerCut& layer : layers_of(shape, layout, place)) {
    if (layer.sequence) {
      blocks.add_recurrent(layer, number * tensors);
    } else {
      blocks.add_dense(layer, number * tensors, shape.layer_norm && number + 1 < shape.layer_count());
    }
    ++number;
  }
  return std::move(blocks).all();
}

}  // namespace kernmill::tasks
