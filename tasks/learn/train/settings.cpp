#include "kernmill/tasks/learn/train/settings.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "kernmill/tasks/learn/rows/shards.hpp"
#include "kernmill/tasks/support/spec.hpp"

namespace kernmill::tasks {
namespace {

constexpr std::array<std::pair<const char*, OptimizerType>, 9> optimizer_types{
    {{"lbfgs", OptimizerType::lbfgs},
     {"newton", OptimizerType::newton},
     {"interior_point", OptimizerType::interior_point},
     {"closed_form", OptimizerType::closed_form},
     {"coordinate_descent", OptimizerType::coordinate_descent},
     {"gradient_descent", OptimizerType::gradient_descent},
     {"sgd", OptimizerType::sgd},
     {"adam", OptimizerType::adam},
     {"adamw", OptimizerType::adamw}}};

using ScheduleType = ScheduleSettings::Type;
constexpr std::array<std::pair<const char*, ScheduleType>, 4> schedule_types{
    {{"constant", ScheduleType::constant},
     {"step", ScheduleType::step},
     {"cosine", ScheduleType::cosine},
     {"plateau", ScheduleType::plateau}}};

template <class Types>
auto type_of(const Json& json, const Types& types, const char* what) {
  const auto name = setting_as<std::string>(json, "type");
  for (const auto& [known, type] : types)
    if (name == known) return type;
  throw SpecError("spec.json: '" + name + "' is no " + what);
}

ScheduleSettings read_schedule_settings(const Json& json) {
  ScheduleSettings settings;
  settings.type = type_of(json, schedule_types, "schedule");
  settings.warmup = setting_as<double>(json, "warmup");
  if (settings.type == ScheduleType::cosine) settings.floor = setting_as<double>(json, "floor");
  if (settings.type == ScheduleType::step || settings.type == ScheduleType::plateau)
    settings.factor = setting_as<double>(json, "factor");
  if (settings.type == ScheduleType::step) {
    settings.every = setting_as<std::uint64_t>(json, "every");
    if (settings.every == 0) throw SpecError("spec.json: optimizer.schedule.every is 0");
  }
  if (settings.type == ScheduleType::plateau) {
    settings.patience = setting_as<std::uint64_t>(json, "patience");
    settings.threshold = setting_as<double>(json, "threshold");
  }
  return settings;
}

/// Of sgd and its like. What is not there is of runs that began before it was.
void read_mini_batch_settings(const Json& json, OptimizerSettings& settings) {
  settings.epochs = setting_as<std::uint64_t>(json, "epochs");
  settings.batch_size = setting_as<std::uint64_t>(json, "batch_size");
  if (settings.batch_size == 0) throw SpecError("spec.json: optimizer.batch_size is 0");
  settings.accumulate = json.value("accumulate", std::uint64_t{1});
  if (settings.accumulate == 0) throw SpecError("spec.json: optimizer.accumulate is 0");
  settings.shuffle = json.value("shuffle", "auto");
  if (json.contains("schedule")) settings.schedule = read_schedule_settings(setting(json, "schedule"));
  if (json.contains("early_stopping"))
    settings.early_stopping = {setting_as<std::uint64_t>(json, "early_stopping.patience"),
                               setting_as<double>(json, "early_stopping.threshold")};
  if (json.contains("clip_norm")) settings.clip_norm = setting_as<double>(json, "clip_norm");
}

OptimizerSettings read_optimizer_settings(const Json& json) {
  OptimizerSettings settings;
  settings.type = type_of(json, optimizer_types, "optimizer");
  if (settings.type == OptimizerType::lbfgs || settings.type == OptimizerType::newton) {
    settings.max_iterations = setting_as<std::uint64_t>(json, "max_iterations");
    settings.tolerance = setting_as<double>(json, "tolerance");
    settings.objective_tolerance = json.value("objective_tolerance", 0.0);  // not there in runs from before
    if (settings.type == OptimizerType::lbfgs) settings.history = setting_as<std::uint64_t>(json, "history");
    return settings;
  }
  if (settings.type == OptimizerType::closed_form) {
    settings.max_features = setting_as<std::uint64_t>(json, "max_features");
    return settings;
  }
  if (settings.type == OptimizerType::coordinate_descent || settings.type == OptimizerType::interior_point) {
    if (settings.type == OptimizerType::interior_point)
      settings.max_features = setting_as<std::uint64_t>(json, "max_features");
    settings.max_iterations = setting_as<std::uint64_t>(json, "max_iterations");
    settings.objective_tolerance = setting_as<double>(json, "gap_tolerance");
    return settings;
  }
  settings.learning_rate = setting_as<double>(json, "learning_rate");
  if (settings.type == OptimizerType::gradient_descent) {
    settings.max_iterations = setting_as<std::uint64_t>(json, "steps");
    return settings;
  }
  read_mini_batch_settings(json, settings);
  if (settings.type == OptimizerType::sgd) {
    settings.momentum = setting_as<double>(json, "momentum");
    settings.nesterov = json.value("nesterov", false);
  } else {
    if (settings.type == OptimizerType::adamw)
      settings.weight_decay = setting_as<double>(json, "weight_decay");
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

CheckpointSettings read_checkpoint(const Json& json) {
  using By = CheckpointInterval::By;
  CheckpointSettings settings;
  CheckpointInterval& interval = settings.interval;
  const Json& every = setting(json, "every");
  interval.by = every == "auto" ? By::cost : every.is_string() ? By::time : By::steps;
  if (interval.by == By::steps) interval.steps = setting_as<std::uint64_t>(json, "every");
  if (interval.by == By::time) interval.time = seconds_of(every);
  if (json.contains("mtbf")) interval.mtbf = seconds_of(json.at("mtbf"));
  settings.retention.keep = setting_as<int>(json, "keep");
  if (json.contains("keep_every"))
    settings.retention.keep_every = setting_as<std::uint64_t>(json, "keep_every");
  return settings;
}

bool chooses_layout(const Json& parallel) {
  return parallel.value("layout", "given") == "auto";
}

}  // namespace

Layout read_layout(const Json& config) {
  const Json json = config.value("parallel", Json::object());
  Layout layout;
  layout.data = json.value("data", std::uint64_t{0});
  const std::uint64_t otherwise = chooses_layout(json) ? 0 : 1;
  layout.tensor = json.value("tensor", otherwise);
  layout.pipeline = json.value("pipeline", otherwise);
  layout.slices = json.value("slices", std::max<std::uint64_t>(layout.tensor, 1));
  if (layout.tensor < otherwise || layout.pipeline < otherwise || layout.slices == 0)
    throw SpecError("spec.json: a number of 'parallel' is 0");
  return layout;
}

Json without_layout(Json config) {
  config.erase("balance");
  if (!config.contains("parallel")) return config;
  const std::uint64_t slices = read_layout(config).slices;
  config.erase("parallel");
  if (slices > 1) config["parallel"] = {{"slices", slices}};
  return config;
}

TrainSettings read_train_settings(const Json& config) {
  TrainSettings settings;
  settings.model = read_network_model(setting(config, "model"));
  settings.optimizer = read_optimizer_settings(setting(config, "optimizer"));
  settings.seed = setting_as<std::uint64_t>(config, "seed");
  const std::string precision = config.value("precision", "float64");
  settings.rounds_factors = precision == "mixed";
  settings.single_precision = precision == "float32" || settings.rounds_factors;
  settings.exact = config.value("exact", true);
  settings.balanced = config.value("class_weight", "none") == "balanced";
  if (config.value("balance", "even") == "dynamic") settings.balancing = Balancing::dynamic;
  settings.layout = read_layout(config);
  settings.chooses_layout = chooses_layout(config.value("parallel", Json::object()));
  if (config.contains("cache")) settings.cache = setting_as<std::uint64_t>(config, "cache");
  settings.shards = config.value("shards", shard_count);
  if (!std::has_single_bit(settings.shards) || settings.shards > most_shards)
    throw SpecError(fmt::format("spec.json: shards is {}, which is no power of two up to {}", settings.shards,
                                most_shards));
  return settings;
}

CheckpointSettings read_checkpoint_settings(const Json& config) {
  return config.contains("checkpoint") ? read_checkpoint(config.at("checkpoint")) : CheckpointSettings{};
}

}  // namespace kernmill::tasks
