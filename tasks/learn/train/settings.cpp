#include "kernmill/tasks/learn/train/settings.hpp"

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

constexpr std::array<std::pair<const char*, ModelType>, 4> model_types{
    {{"softmax", ModelType::softmax},
     {"linear_svm", ModelType::linear_svm},
     {"linear_regression", ModelType::linear_regression},
     {"mlp", ModelType::mlp}}};

constexpr std::array<std::pair<const char*, OptimizerType>, 4> optimizer_types{
    {{"lbfgs", OptimizerType::lbfgs},
     {"gradient_descent", OptimizerType::gradient_descent},
     {"sgd", OptimizerType::sgd},
     {"adam", OptimizerType::adam}}};

template <class Table>
auto find(const Table& table, const std::string& name, const char* what) {
  for (const auto& [known, type] : table) {
    if (name == known) return type;
  }
  throw SpecError(std::string("spec.json: '") + name + "' is no " + what);
}

void append_numbers(const Json& value, std::vector<double>& numbers) {
  if (value.is_array()) {
    for (const Json& part : value) append_numbers(part, numbers);
  } else if (value.is_number()) {
    numbers.push_back(value.get<double>());
  } else {
    throw SpecError("spec.json: model.init holds " + value.dump() + ", which is no number");
  }
}

void read_init(const Json& model, ModelSettings& settings) {
  if (!model.contains("init") || model.at("init").is_null()) return;
  const Json& init = model.at("init");
  if (init.contains("weights")) append_numbers(init.at("weights"), settings.initial_weights);
  if (init.contains("bias")) append_numbers(init.at("bias"), settings.initial_bias);
}

OptimizerSettings read_optimizer_settings(const Json& json) {
  OptimizerSettings settings;
  settings.type = find(optimizer_types, setting_as<std::string>(json, "type"), "optimizer");
  if (settings.type == OptimizerType::lbfgs) {
    settings.max_iterations = setting_as<std::uint64_t>(json, "max_iterations");
    settings.tolerance = setting_as<double>(json, "tolerance");
    settings.history = setting_as<std::uint64_t>(json, "history");
    return settings;
  }
  settings.learning_rate = setting_as<double>(json, "learning_rate");
  if (settings.type == OptimizerType::gradient_descent) {
    settings.max_iterations = setting_as<std::uint64_t>(json, "steps");
    return settings;
  }
  settings.epochs = setting_as<std::uint64_t>(json, "epochs");
  settings.batch_size = setting_as<std::uint64_t>(json, "batch_size");
  if (settings.batch_size == 0) throw SpecError("spec.json: optimizer.batch_size is 0");
  settings.shuffle = json.value("shuffle", "auto");  // not there in runs that began without it
  if (settings.type == OptimizerType::sgd) {
    settings.momentum = setting_as<double>(json, "momentum");
  } else {
    settings.beta1 = setting_as<double>(json, "beta1");
    settings.beta2 = setting_as<double>(json, "beta2");
    settings.epsilon = setting_as<double>(json, "epsilon");
  }
  return settings;
}

/// "600s", as the orchestrator writes every time.
std::chrono::duration<double> seconds_of(const Json& value) {
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || std::string_view(end) != "s" || !(seconds > 0))
    throw SpecError("spec.json: " + value.dump() + " is no time in seconds such as \"600s\"");
  return std::chrono::duration<double>(seconds);
}

void read_checkpoint_settings(const Json& json, TrainSettings& settings) {
  using By = CheckpointInterval::By;
  CheckpointInterval& interval = settings.checkpoint_interval;
  const Json& every = setting(json, "every");
  interval.by = every == "auto" ? By::cost : every.is_string() ? By::time : By::steps;
  if (interval.by == By::steps) interval.steps = setting_as<std::uint64_t>(json, "every");
  if (interval.by == By::time) interval.time = seconds_of(every);
  if (json.contains("mtbf")) interval.mtbf = seconds_of(json.at("mtbf"));
  settings.checkpoint_retention.keep = setting_as<int>(json, "keep");
  if (json.contains("keep_every"))
    settings.checkpoint_retention.keep_every = setting_as<std::uint64_t>(json, "keep_every");
}

}  // namespace

const char* to_string(ModelType type) {
  for (const auto& [name, known] : model_types) {
    if (known == type) return name;
  }
  return "?";
}

ModelType model_type(const std::string& name) {
  return find(model_types, name, "model");
}

ModelSettings read_model_settings(const Json& model) {
  ModelSettings settings;
  settings.type = model_type(setting_as<std::string>(model, "type"));
  if (settings.type == ModelType::linear_svm) {
    settings.C = setting_as<double>(model, "C");
  } else {
    settings.l2 = setting_as<double>(model, "l2");
  }
  if (settings.type == ModelType::mlp) {
    settings.hidden = setting_as<std::vector<std::uint64_t>>(model, "hidden");
    settings.relu = setting_as<std::string>(model, "activation") == "relu";
  } else {
    settings.regularize_bias = setting_as<bool>(model, "regularize_bias");
  }
  read_init(model, settings);
  return settings;
}

TrainSettings read_train_settings(const Json& config) {
  TrainSettings settings;
  settings.model = read_model_settings(setting(config, "model"));
  settings.optimizer = read_optimizer_settings(setting(config, "optimizer"));
  settings.seed = setting_as<std::uint64_t>(config, "seed");
  if (config.contains("checkpoint")) read_checkpoint_settings(config.at("checkpoint"), settings);
  return settings;
}

}  // namespace kernmill::tasks
