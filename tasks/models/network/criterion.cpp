#include "kernmill/tasks/models/network/criterion.hpp"

#include <cmath>

namespace kernmill::tasks {
namespace {

double squares(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return sum;
}

double sizes_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += std::abs(value);
  return sum;
}

}  // namespace

double Criterion::penalty_of(const Network& network, std::span<const double> parameters) const {
  double squared = 0, size = 0;
  for (const ParameterTensor& tensor : network.tensors()) {
    if (!penalizes(tensor)) continue;
    const auto values = parameters.subspan(tensor.offset, tensor.size());
    squared += squares(values);
    size += sizes_of(values);
  }
  return 0.5 * penalty * squared + (l1 == 0 ? 0.0 : l1 * size);
}

double Criterion::penalty_of_output(const Network& network, std::span<const double> parameters,
                                    std::uint64_t output) const {
  double sum = 0;
  for (const ParameterTensor& tensor : network.tensors()) {
    if (!penalizes(tensor)) continue;
    for (std::size_t i = output; i < tensor.size(); i += network.outputs()) {
      const double entry = parameters[tensor.offset + i];
      sum += entry * entry;
    }
  }
  return 0.5 * penalty * sum;
}

void Criterion::add_penalty_gradient(const Network& network, std::span<const double> parameters,
                                     std::span<double> gradient) const {
  if (penalty == 0) return;
  for (const ParameterTensor& tensor : network.tensors()) {
    if (!penalizes(tensor)) continue;
    const std::size_t end = tensor.offset + tensor.size();
    for (std::size_t i = tensor.offset; i < end; ++i) gradient[i] += penalty * parameters[i];
  }
}

}  // namespace kernmill::tasks
