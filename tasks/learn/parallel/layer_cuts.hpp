#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "kernmill/storage/even_share.hpp"
#include "kernmill/tasks/learn/parallel/layout.hpp"
#include "kernmill/tasks/models/network/feature_block.hpp"
#include "kernmill/tasks/models/network/network_shape.hpp"

namespace kernmill::tasks {

/// What of a layer a slice has: the layer whole, some of its outputs, or some of its inputs.
enum class Cut { none, outputs, inputs };

/// How a layer is cut where layers are. Dense ones by outputs, and the next one by inputs, so that what goes
/// between the two stays where it is (Shoeybi et al., Megatron-LM, 2019). A last one that has no partner is
/// cut by inputs: its outputs are few. Recurrent ones are cut by their units, which are outputs.
Cut cut_of(const NetworkShape& shape, std::size_t layer, std::uint64_t slices);
/// A width that so many slices would have to divide, and do not; nothing where all layers can be cut so.
std::optional<std::uint64_t> undivided_width(const NetworkShape& shape, std::uint64_t slices);

/// One layer as a rank has it: `slices` of it from `first_slice` on.
struct LayerCut {
  std::uint64_t inputs = 0, outputs = 0;  ///< of the whole layer
  Cut cut = Cut::none;
  bool input_is_whole = true;  ///< else each slice has its own
  std::uint64_t all_slices = 1, first_slice = 0, slices = 1;
  std::optional<SequenceShape> sequence{};  ///< of a recurrent layer

  /// Else each slice has its own. The steps of a recurrent layer give the state of all units to each other,
  /// and to a recurrent layer behind it.
  [[nodiscard]] bool output_is_whole() const {
    return cut != Cut::outputs || (sequence && sequence->all_steps);
  }
  [[nodiscard]] std::uint64_t slice_inputs() const {
    return cut == Cut::inputs ? inputs / all_slices : inputs;
  }
  [[nodiscard]] std::uint64_t slice_outputs() const {
    return output_is_whole() ? outputs : outputs / all_slices;
  }
  /// Of a recurrent layer.
  [[nodiscard]] std::uint64_t slice_units() const { return sequence->hidden / all_slices; }
  /// Biases of all of its slices; of layers cut by inputs every rank has all.
  [[nodiscard]] std::uint64_t biases() const {
    if (sequence) return slices * gates_of(sequence->cell) * slice_units();
    return cut == Cut::outputs ? slices * slice_outputs() : outputs;
  }
  [[nodiscard]] std::uint64_t weights() const {
    if (sequence) return slices * sequence->weights_of(slice_units());
    return slices * slice_inputs() * slice_outputs();
  }
  [[nodiscard]] std::uint64_t parameters() const { return weights() + biases(); }
};

/// What the parameters of a dense layer begin with.
std::vector<FeatureBlock> feature_blocks(const LayerCut& layer);

/// Contiguous layers for each of `stages`, where the most products with a weight that a row has in one of
/// them are as few as can be. No more stages than layers.
std::vector<storage::IndexRange> stages_of(const NetworkShape& shape, std::uint64_t stages);

/// The layers of a rank's stage.
std::vector<LayerCut> layers_of(const NetworkShape& shape, const Layout& layout, const Place& place);

/// A rectangle of a tensor of the whole network, or several of them side by side, as gates are; and where a
/// rank has it, row after row.
struct ParameterBlock {
  std::size_t tensor = 0;  ///< its number among the network's
  std::uint64_t first_row = 0, rows = 1, first_column = 0, columns = 0;
  std::uint64_t gates = 1, gate_width = 0;  ///< how many there are, and from one to the next
  std::size_t offset = 0;                   ///< among the rank's parameters

  [[nodiscard]] std::uint64_t row_length() const { return gates * columns; }
  [[nodiscard]] std::size_t size() const { return rows * row_length(); }
};

/// All of a rank's parameters, in the order in which it holds them, each slice's by itself. The network's
/// tensors are, layer by layer, weights (inputs x outputs) and biases, of a hidden layer with layer_norm its
/// gain and shift as well, and of a recurrent one the inputs' weights, the state's, and biases.
std::vector<ParameterBlock> blocks_of(const NetworkShape& shape, const Layout& layout, const Place& place);

}  // namespace kernmill::tasks
