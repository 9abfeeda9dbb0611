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

std::vector<storage::Tensor> tensors_of(const Network& network, const std::vector<double>& parameters,
                                        bool single_precision) {
  std::vector<storage::Tensor> tensors;
  for (const ParameterTensor& tensor : network.tensors()) {
    const auto at = parameters.begin() + static_cast<std::ptrdiff_t>(tensor.offset);
    const std::vector<double> values(at, at + static_cast<std::ptrdiff_t>(tensor.size()));
    tensors.push_back({tensor.name, tensor.shape,
                       single_precision
                           ? storage::TensorData(std::vector<float>(values.begin(), values.end()))
                           : storage::TensorData(values)});
  }
  return tensors;
}

std::vector<double> parameters_of(const storage::Model& model, const Network& network) {
  std::vector<double> all;
  for (const ParameterTensor& tensor : network.tensors()) {
    const auto values = values_of(model.parameters, tensor.name);
    all.insert(all.end(), values.begin(), values.end());
  }
  if (all.size() != network.parameter_count()) {
    throw TaskError(fmt::format("the model holds {} parameters, and its schema asks for {}", all.size(),
                                network.parameter_count()),
                    {}, "the model file is damaged; train it again");
  }
  return all;
}

}  // namespace kernmill::tasks
