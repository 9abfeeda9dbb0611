#include "kernmill/tasks/models/network/model_parameters.hpp"

#include <fmt/format.h>

#include "kernmill/tasks/models/network/make_network.hpp"
#include "kernmill/tasks/models/registry.hpp"
#include "kernmill/tasks/models/tensors.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

std::unique_ptr<NetworkModel> network_model_of(const storage::Model& model) {
  const Json config = config_of(model);
  try {
    return read_network_model(setting(config, "model"));
  } catch (const std::exception& e) {
    throw TaskError(fmt::format("the model of type '{}' cannot be used: {}", model.type, e.what()), {},
                    "it was made by another version of Kernmill; train it again");
  }
}

std::uint64_t numbers_in(const storage::Model& model) {
  std::uint64_t numbers = 0;
  for (const storage::Tensor& tensor : model.parameters) numbers += tensor.data.size();
  return numbers;
}

}  // namespace

Network network_of(const storage::Model& model) {
  return make_network(*network_model_of(model), model.schema, numbers_in(model));
}

std::vector<storage::Tensor> tensors_of(const Network& network, const std::vector<double>& parameters) {
  std::vector<storage::Tensor> tensors;
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const auto& layer = network.layers()[i];
    const auto at = parameters.begin() + static_cast<std::ptrdiff_t>(layer.weights);
    const auto bias = parameters.begin() + static_cast<std::ptrdiff_t>(layer.bias);
    tensors.push_back(
        {fmt::format("layer_{}_weights", i), {layer.inputs, layer.outputs}, std::vector<double>(at, bias)});
    tensors.push_back({fmt::format("layer_{}_bias", i),
                       {layer.outputs},
                       std::vector<double>(bias, bias + static_cast<std::ptrdiff_t>(layer.outputs))});
  }
  return tensors;
}

std::vector<double> parameters_of(const storage::Model& model, const Network& network) {
  std::vector<double> all;
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    for (const char* part : {"weights", "bias"}) {
      const auto& values = values_of(model.parameters, fmt::format("layer_{}_{}", i, part));
      all.insert(all.end(), values.begin(), values.end());
    }
  }
  if (all.size() != network.parameter_count()) {
    throw TaskError(fmt::format("the model holds {} parameters, and its schema asks for {}", all.size(),
                                network.parameter_count()),
                    {}, "the model file is damaged; train it again");
  }
  return all;
}

}  // namespace kernmill::tasks
