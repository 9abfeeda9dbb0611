#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "kernmill/storage/even_share.hpp"
#include "kernmill/tasks/learn/parallel/layout.hpp"
#include "kernmill/tasks/models/network/network_shape.hpp"

namespace kernmill::tasks {

/// What of a dense layer a slice has: the layer whole, some of its outputs, or some of its inputs.
enum class Cut { none, outputs, inputs };

/// How layer `layer` of so many is cut where layers are: by outputs, and the next one by inputs, so that what
/// goes between the two stays where it is (Shoeybi et al., Megatron-LM, 2019). A last one that has no partner
/// is cut by inputs: its outputs are few.
Cut cut_of(std::size_t layer, std::size_t layers, std::uint64_t slices);

/// One layer as a rank has it: `slices` of it from `first_slice` on.
struct LayerCut {
  std::uint64_t inputs = 0, outputs = 0;  ///< of the whole layer
  Cut cut = Cut::none;
  bool input_is_whole = true;  ///< else each slice has its own
  std::uint64_t all_slices = 1, first_slice = 0, slices = 1;

  [[nodiscard]] std::uint64_t slice_inputs() const {
    return cut == Cut::inputs ? inputs / all_slices : inputs;
  }
  [[nodiscard]] std::uint64_t slice_outputs() const {
    return cut == Cut::outputs ? outputs / all_slices : outputs;
  }
  /// Biases of all of its slices; of layers cut by inputs every rank has all.
  [[nodiscard]] std::uint64_t biases() const {
    return cut == Cut::outputs ? slices * slice_outputs() : outputs;
  }
  [[nodiscard]] std::uint64_t weights() const { return slices * slice_inputs() * slice_outputs(); }
  [[nodiscard]] std::uint64_t parameters() const { return weights() + biases(); }
};

/// Contiguous layers for each of `stages`, whose largest number of weights is as small as can be. No more
/// stages than layers.
std::vector<storage::IndexRange> stages_of(std::span<const std::uint64_t> widths, std::uint64_t stages);

/// The layers of a rank's stage.
std::vector<LayerCut> layers_of(std::span<const std::uint64_t> widths, const Layout& layout,
                                const Place& place);

/// A rectangle of a tensor of the whole network, and where a rank has it, row after row.
struct ParameterBlock {
  std::size_t tensor = 0;  ///< its number among the network's
  std::uint64_t first_row = 0, rows = 1, first_column = 0, columns = 0;
  std::size_t offset = 0;  ///< among the rank's parameters
};

/// All of a rank's parameters, in the order in which it holds them, each slice's by itself. The network's
/// tensors are weights (inputs x outputs) and biases, of a hidden layer with layer_norm its gain and shift as
/// well, layer by layer.
std::vector<ParameterBlock> blocks_of(const NetworkShape& shape, const Layout& layout, const Place& place);

}  // namespace kernmill::tasks
