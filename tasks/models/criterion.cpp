#include "kernmill/tasks/models/criterion.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

double squares(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return sum;
}

void check_target(const ModelSettings& model, const storage::Schema& schema) {
  const std::string name = to_string(model.type);
  if (schema.target_kind == storage::TargetKind::none) {
    throw TaskError(fmt::format("{} needs a target, and {} has none", name, schema.source), {},
                    "name the target column in the preprocess stage: target: COLUMN");
  }
  const bool classes = schema.target_kind == storage::TargetKind::classes;
  if (model.type == ModelType::linear_regression && classes) {
    throw TaskError(
        fmt::format("linear_regression predicts numbers, and the target '{}' is a class", schema.target), {},
        "use softmax, linear_svm or mlp, or make it a number: target: {column: ..., type: number}");
  }
  if (!classes && (model.type == ModelType::softmax || model.type == ModelType::linear_svm)) {
    throw TaskError(fmt::format("{} predicts classes, and the target is a number", name), {},
                    "use linear_regression or mlp, or make it a class: target: {column: ..., type: class}");
  }
  if (classes && schema.classes.size() < 2) {
    throw TaskError(fmt::format("the target '{}' has one class only{}", schema.target,
                                schema.classes.empty() ? "" : " ('" + schema.classes.front() + "')"),
                    {}, "a classifier needs rows of two classes or more");
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

Criterion Criterion::of(const ModelSettings& model, std::uint64_t rows, std::uint64_t targets) {
  const double mean = 1.0 / static_cast<double>(rows);
  switch (model.type) {
    case ModelType::softmax:
      return {1.0, model.l2, model.regularize_bias, mean};
    case ModelType::linear_svm:
      return {model.C, 1.0, model.regularize_bias, mean};
    case ModelType::linear_regression:
      return {mean / static_cast<double>(targets), 2.0 * model.l2, model.regularize_bias, 1.0};
    case ModelType::mlp:
      break;
  }
  return {mean / static_cast<double>(targets), model.l2, false, 1.0};
}

double Criterion::penalty_of(const Network& network, std::span<const double> parameters) const {
  double sum = 0;
  for (const auto& layer : network.layers()) {
    sum += squares(parameters.subspan(layer.weights, layer.inputs * layer.outputs));
    if (penalize_bias) sum += squares(parameters.subspan(layer.bias, layer.outputs));
  }
  return 0.5 * penalty * sum;
}

double Criterion::penalty_of_output(const Network& network, std::span<const double> parameters,
                                    std::uint64_t output) const {
  const auto& layer = network.layers().back();
  double sum = 0;
  for (std::uint64_t i = 0; i < layer.inputs; ++i) {
    const double entry = parameters[layer.weights + i * layer.outputs + output];
    sum += entry * entry;
  }
  const double bias = parameters[layer.bias + output];
  return 0.5 * penalty * (sum + (penalize_bias ? bias * bias : 0.0));
}

void Criterion::add_penalty_gradient(const Network& network, std::span<const double> parameters,
                                     std::span<double> gradient) const {
  if (penalty == 0) return;
  for (const auto& layer : network.layers()) {
    const std::size_t end = penalize_bias ? layer.bias + layer.outputs : layer.bias;
    for (std::size_t i = layer.weights; i < end; ++i) gradient[i] += penalty * parameters[i];
  }
}

Network make_network(const ModelSettings& model, const storage::Schema& schema) {
  check_target(model, schema);
  const bool classes = schema.target_kind == storage::TargetKind::classes;
  NetworkShape shape;
  shape.widths.push_back(schema.features.size());
  shape.widths.insert(shape.widths.end(), model.hidden.begin(), model.hidden.end());
  shape.widths.push_back(classes ? schema.classes.size() : schema.target_names.size());
  shape.activation = model.relu ? kernels::Activation::relu : kernels::Activation::tanh;
  shape.loss = !classes ? Loss::squared_error : Loss::cross_entropy;
  if (model.type == ModelType::linear_svm) shape.loss = Loss::squared_hinge;
  return Network(std::move(shape));
}

std::vector<double> initial_parameters(const ModelSettings& model, const Network& network,
                                       std::uint64_t seed) {
  if (model.type == ModelType::mlp) return network.glorot(seed);
  const auto& layer = network.layers().front();
  std::vector<double> parameters =
      initial_values(model.initial_weights, layer.inputs * layer.outputs, "weights");
  const std::vector<double> bias = initial_values(model.initial_bias, layer.outputs, "bias");
  parameters.insert(parameters.end(), bias.begin(), bias.end());
  return parameters;
}

}  // namespace kernmill::tasks
