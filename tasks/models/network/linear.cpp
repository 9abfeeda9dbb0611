#include "kernmill/tasks/models/network/linear.hpp"

#include <fmt/format.h>

#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

void append_numbers(const Json& value, std::vector<double>& numbers) {
  if (value.is_array()) {
    for (const Json& part : value) append_numbers(part, numbers);
  } else if (value.is_number()) {
    numbers.push_back(value.get<double>());
  } else {
    throw SpecError("spec.json: model.init holds " + value.dump() + ", which is no number");
  }
}

std::vector<double> initial_values(const std::vector<double>& given, std::size_t count, const char* what) {
  if (given.empty()) return std::vector<double>(count, 0.0);
  if (given.size() == 1) return std::vector<double>(count, given.front());
  if (given.size() == count) return given;
  throw TaskError(
      fmt::format("model.init.{} holds {} numbers, and the model has {}", what, given.size(), count), {},
      "give one number for each, features in the outer order and outputs in the inner");
}

}  // namespace

LinearModel::LinearModel(const Json& model) {
  if (!model.contains("init") || model.at("init").is_null()) return;
  const Json& init = model.at("init");
  if (init.contains("weights")) append_numbers(init.at("weights"), initial_weights_);
  if (init.contains("bias")) append_numbers(init.at("bias"), initial_bias_);
}

std::vector<double> LinearModel::start(const Network& network, std::uint64_t) const {
  std::vector<double> parameters =
      initial_values(initial_weights_, network.features() * network.outputs(), "weights");
  const std::vector<double> bias = initial_values(initial_bias_, network.outputs(), "bias");
  parameters.insert(parameters.end(), bias.begin(), bias.end());
  return parameters;
}

Ridge::Ridge(const Json& model)
    : l2(setting_as<double>(model, "l2")), regularize_bias(setting_as<bool>(model, "regularize_bias")) {}

}  // namespace kernmill::tasks
