#pragma once
#include <vector>

#include "kernmill/storage/model/model.hpp"
#include "kernmill/tasks/models/network/network.hpp"

namespace kernmill::tasks {

/// The network that a model file is of. Throws TaskError where its settings or its schema are none of this
/// program's.
Network network_of(const storage::Model& model);

/// A network's parameters as a model file holds them: `layer_0_weights` (inputs x outputs), `layer_0_bias`,
/// and `layer_0_gain` and `layer_0_shift` where it is normalised; of a recurrent layer
/// `layer_0_input_weights`, `layer_0_state_weights` and `layer_0_bias`; ...
std::vector<storage::Tensor> tensors_of(const Network& network, const std::vector<double>& parameters,
                                        bool single_precision = false);

/// The inverse. Throws TaskError where the file holds another number of them.
std::vector<double> parameters_of(const storage::Model& model, const Network& network);

}  // namespace kernmill::tasks
