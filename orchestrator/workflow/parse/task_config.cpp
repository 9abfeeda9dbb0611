#include "kernmill/workflow/parse/task_config.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/base/file_pattern.hpp"
#include "kernmill/workflow/expression/expression.hpp"
#include "kernmill/workflow/outputs.hpp"
#include "kernmill/workflow/parse/network_config.hpp"
#include "kernmill/workflow/parse/train_method.hpp"
#include "kernmill/workflow/value/units.hpp"

namespace kernmill {
namespace {

const Value* value_of(const StageDraft& stage, std::string_view name) {
  const Field* field = stage.fields.find(name);
  return field == nullptr ? nullptr : field->value;
}

/// Where a part of a setting stands; where the setting stands when the part was not written.
Where part_where(const Value& value, std::string_view name) {
  const Value* part = value.find(name);
  return part == nullptr ? value.where : part->where;
}

const Value& part_of(const Value& value, std::string_view name) {
  const Value* part = value.find(name);
  return part == nullptr ? value : *part;
}

double number_in(const Json& json, const char* key) {
  return json.contains(key) && json.at(key).is_number() ? json.at(key).get<double>() : 0;
}

void check_shares(const Json& split, const Value& value, Diagnostics& diagnostics) {
  if (number_in(split, "test") + number_in(split, "validation") >= 1)
    diagnostics.error(part_where(value, "test"), "'test' and 'validation' leave no rows to train on",
                      "together they have to be below 1");
}

void check_stratify(const Json& split, const Value& value, const Json& config, Diagnostics& diagnostics) {
  if (split.value("stratify", Json(false)) == Json(true) && !split.value("group", "").empty())
    diagnostics.error(part_where(value, "stratify"), "'stratify' and 'group' exclude each other",
                      "a group has rows of several classes, and stays together");
  const bool no_class = config.at("target").is_null() || config.at("target").value("type", "") == "number";
  if (split.value("stratify", Json(false)) == Json(true) && no_class)
    diagnostics.error(part_where(value, "stratify"), "'stratify' needs a target that is a class",
                      config.at("target").is_null() ? "name the column: target: COLUMN" : "");
}

void finish_chronological(Json& split, const Value& value, Diagnostics& diagnostics) {
  const double used = number_in(split, "train") + number_in(split, "validation");
  if (!split.contains("test")) split["test"] = std::max(0.0, std::round((1 - used) * 1e12) / 1e12);
  if (!split.at("test").is_number() || !split.contains("train") || !split.at("train").is_number()) return;
  const double sum = used + number_in(split, "test");
  if (std::abs(sum - 1) > 1e-9)
    diagnostics.error(value.where, fmt::format("the parts of this split make {:.6g}, not 1", sum),
                      "'test' may be left out: it is the rest");
}

void check_offset(const Json& split, const Value& value, Diagnostics& diagnostics) {
  const double every = number_in(split, "every"), offset = number_in(split, "offset");
  if (every == 0 || offset < every) return;
  diagnostics.error(
      part_where(value, value.find("fold") != nullptr ? "fold" : "offset"),
      fmt::format("offset {:.0f} never occurs: i % {:.0f} is at most {:.0f}", offset, every, every - 1));
}

void check_split(Json& config, const StageDraft& stage, Diagnostics& diagnostics) {
  const Value* value = value_of(stage, "split");
  if (value == nullptr || !config.contains("split") || !config.contains("target")) return;
  Json& split = config["split"];
  const std::string type = split.value("type", "");
  if (type == "random") check_shares(split, *value, diagnostics);
  if (type == "random" || type == "every") check_stratify(split, *value, config, diagnostics);
  if (type == "chronological") finish_chronological(split, *value, diagnostics);
  if (type == "every") check_offset(split, *value, diagnostics);
}

/// A constant has a value, and only a constant has.
void check_constant(const Json& impute, const Value& value, Diagnostics& diagnostics) {
  if (impute.value("with", "") == "constant" && impute.value("value", "").empty())
    diagnostics.error(value.where, "'impute' needs the constant", "impute: {with: constant, value: 0}");
  if (impute.value("with", "") != "constant" && !impute.value("value", "").empty())
    diagnostics.error(part_where(value, "value"), "only a constant has a 'value'",
                      "impute: {with: constant, value: 0}");
}

void check_impute(const Json& config, const StageDraft& stage, Diagnostics& diagnostics) {
  const Value* impute = value_of(stage, "impute");
  if (impute != nullptr && config.contains("impute")) check_constant(config["impute"], *impute, diagnostics);
  const Value* columns = value_of(stage, "columns");
  if (columns == nullptr || !config.contains("columns")) return;
  for (const auto& [name, column] : config["columns"].items())
    if (const Value* given = columns->find(name); given != nullptr && column.contains("impute"))
      check_constant(column["impute"], part_of(*given, "impute"), diagnostics);
}

/// A memory in bytes, which is what the tasks take.
void count_bytes(Json& config, const char* name) {
  if (!config.contains(name) || !config.at(name).is_string()) return;
  if (const auto bytes = parse_memory(config.at(name).get<std::string>())) config[name] = *bytes;
}

/// What rows with weights do not go with.
void check_sample_weight(const Json& config, const StageDraft& stage, Diagnostics& diagnostics) {
  const Value* value = value_of(stage, "sample_weight");
  if (value == nullptr || value->is_null()) return;
  if (config.contains("series") && config.at("series").is_object())
    diagnostics.error(value->where, "'sample_weight' does not go with 'series'",
                      "a window is of many rows, whose weights would be one; leave it out");
  if (config.value("sparse", "") == "true")
    diagnostics.error(
        value->where, "'sample_weight' does not go with sparse rows",
        "a file of LIBSVM's format has no column for it but those of its features; leave it out, "
        "or set `sparse: false`");
}

void check_preprocess(Json& config, const Draft& draft, const StageDraft& stage) {
  Diagnostics& diagnostics = draft.diagnostics;
  check_sample_weight(config, stage, diagnostics);
  check_split(config, stage, diagnostics);
  check_impute(config, stage, diagnostics);
  if (config.contains("series") && config.at("series").is_object())
    for (const char* name : {"target", "features", "drop", "impute", "encode", "columns", "balance"})
      if (const Value* value = value_of(stage, name); value != nullptr && !value->is_null())
        diagnostics.error(
            value->where, fmt::format("'{}' does not go with 'series'", name),
            "a series predicts all of its columns from their own past; series.columns picks some");
  check_columns(draft, stage);
}

std::string model_type(const Value* model) {
  if (model == nullptr) return "";
  if (model->is_string()) return model->text;
  const Value* type = model->find("type");
  return type == nullptr ? "" : type->text;
}

/// A model without a target goes its own way: with no optimizer, and with all rows alike.
void finish_without_target(Json& train, const std::string& model) {
  train.erase("optimizer");
  train.erase("class_weight");
  if (train.contains("checkpoint") && !train["checkpoint"].contains("every"))
    train["checkpoint"]["every"] = model == "kmeans" && train["model"].contains("batch_size") ? 10 : 100;
}

void refuse_of_optimizers(const Value* optimizer, const Value* class_weight, const std::string& model,
                          Diagnostics& diagnostics) {
  if (has_own_method(model) && optimizer != nullptr && !optimizer->is_null())
    diagnostics.error(optimizer->where, fmt::format("a {} has no optimizer", model),
                      "leave it out; what there is to choose stands in 'model'");
  if (without_target(model) != nullptr && class_weight != nullptr && !class_weight->is_null())
    diagnostics.error(class_weight->where, fmt::format("a {} knows no classes to weigh", model),
                      "leave it out");
}

/// What `components` may be, which depends on the method.
void check_components(const Json& train, const Value* model, Diagnostics& diagnostics) {
  const Json settings = train.value("model", Json());
  if (model == nullptr || !settings.is_object() || settings.value("type", "") != "pca") return;
  const Json components = settings.value("components", Json());
  if (!components.is_number()) return;
  const double count = components.get<double>();
  if (count >= 1 && std::floor(count) != count)
    diagnostics.error(part_where(*model, "components"), "'components' is no whole number, nor a share",
                      "components: 2, or components: 0.95 for as many as explain that much");
  if (count < 1 && settings.value("method", "") == "randomized")
    diagnostics.error(part_where(*model, "components"),
                      "the randomized method needs a number of components, and not a share",
                      "components: 10, or method: covariance");
}

void finish_train(Json& train) {
  const Json model = train.value("model", Json());
  const std::string model_type = model.is_object() ? model.value("type", "") : "";
  if (without_target(model_type) != nullptr) return finish_without_target(train, model_type);
  finish_network(train);
  if (!train.contains("optimizer") || !train.contains("checkpoint") || train["checkpoint"].contains("every"))
    return;
  Json checkpoint{{"every", trains_in_batches(train) ? 10 : 100}};
  checkpoint.update(train["checkpoint"]);
  train["checkpoint"] = std::move(checkpoint);
}

/// The `train:` of the tune stage that `config:` names.
const Value* tuned(const Draft& draft, const StageDraft& stage) {
  const Value* config = value_of(stage, "config");
  if (config == nullptr) return nullptr;
  const StageDraft* tune = draft.find(config->text.substr(0, config->text.find('.')));
  return tune == nullptr ? nullptr : tune->body.find("train");
}

Json read_train(const Draft& draft, const StageDraft& stage, SettingsReader& reader) {
  const bool has_config = value_of(stage, "config") != nullptr;
  const Value* start = tuned(draft, stage);
  std::string model = model_type(value_of(stage, "model"));
  if (model.empty() && start != nullptr) model = model_type(start->find("model"));
  const Value* own = value_of(stage, "model");
  const MethodChoice method{own != nullptr || start == nullptr ? own : start->find("model"),
                            value_of(stage, "optimizer"), value_of(stage, "start_from"),
                            value_of(stage, "shards")};
  reader.default_types["optimizer"] = default_method(model, method);
  if (has_config) {
    reader.default_types["model"] = model;
    reader.fill_in_defaults = false;
    if (const Value* optimizer = start == nullptr ? nullptr : start->find("optimizer"))
      if (const std::string type = model_type(optimizer); !type.empty())
        reader.default_types["optimizer"] = type;
  }
  const Table& table = task_settings(TaskKind::train);
  Json train = reader.read(table, stage.fields, stage.stage.where);
  reader.fill_in_defaults = true;
  const auto slip = [](const std::string& key) { return nearest(key, {"model", "config", "data"}); };
  bool model_slip = false, data_slip = false;
  for (const std::string& key : stage.fields.unknown) {
    model_slip = model_slip || slip(key) == "model" || slip(key) == "config";
    data_slip = data_slip || slip(key) == "data";
  }
  if (!has_config && !model_slip && value_of(stage, "model") == nullptr)
    draft.diagnostics.error(stage.stage.where, "a train stage needs 'model' or 'config'",
                            "model: {type: softmax}, or config: the tune stage that finds the best one");
  if (has_config && !data_slip && value_of(stage, "data") == nullptr)
    draft.diagnostics.error(stage.stage.where, "a train stage needs 'data'",
                            "data: the dataset to learn from");
  count_bytes(train, "cache");
  refuse_of_optimizers(value_of(stage, "optimizer"), value_of(stage, "class_weight"), model,
                       draft.diagnostics);
  check_components(train, value_of(stage, "model"), draft.diagnostics);
  if (!has_config) finish_train(train);
  if (has_config && without_target(model) != nullptr) train.erase("optimizer");
  check_method(train, method, stage.stage.where, draft.diagnostics);
  check_network(draft, stage, train, value_of(stage, "model"));
  check_sharing(model, train,
                {value_of(stage, "precision"), value_of(stage, "exact"), value_of(stage, "parallel"),
                 value_of(stage, "balance")},
                draft.diagnostics);
  return train;
}

/// A search by a metric that the model has.
void check_objective(const std::string& metric, const Value* objective, const std::string& model,
                     Diagnostics& diagnostics) {
  if (objective == nullptr || objective->find("metric") == nullptr || model.empty() || metric.empty()) return;
  const auto has = [&](const WithoutTarget& one) {
    return std::find(one.metrics.begin(), one.metrics.end(), metric) != one.metrics.end();
  };
  const WithoutTarget* own = without_target(model);
  if (own != nullptr && !has(*own))
    diagnostics.error(part_where(*objective, "metric"),
                      fmt::format("'{}' is no metric of a {}", metric, model),
                      fmt::format("it has {}", fmt::join(own->metrics, ", ")));
  for (const char* other : {"kmeans", "pca"})
    if (own == nullptr && has(*without_target(other)))
      diagnostics.error(part_where(*objective, "metric"),
                        fmt::format("'{}' is a metric of a {}, and this model is a {}", metric, other, model),
                        "of classes there are accuracy, precision, recall, f1, roc_auc and log_loss; of "
                        "numbers rmse, mae and r2");
}

void finish_objective(Json& objective, const std::string& model, const StageDraft& stage,
                      Diagnostics& diagnostics) {
  const std::string metric = objective.value("metric", "");
  if (!objective.contains("goal")) objective["goal"] = is_loss(metric) ? "minimize" : "maximize";
  if (!objective.contains("validation") || objective["validation"].empty())
    objective["validation"] = {{"folds", 5}};
  const Value* value = value_of(stage, "objective");
  const Value* validation = value == nullptr ? nullptr : value->find("validation");
  check_objective(metric, value, model, diagnostics);
  if (objective["validation"].size() > 1 && validation != nullptr)
    diagnostics.error(validation->where, "'folds' and 'split' exclude each other",
                      "judge on folds of the training rows, or on the validation rows");
}

void check_trial_count(const Json& config, const Where& where, Diagnostics& diagnostics) {
  double trials = 1;
  for (const auto& [name, domain] : config.at("space").items()) {
    if (domain.contains("values"))
      trials *= static_cast<double>(domain.at("values").size());
    else if (domain.contains("points"))
      trials *= domain.at("points").get<double>();
    else
      trials *= domain.at("high").get<double>() - domain.at("low").get<double>() + 1;
  }
  if (trials > 10'000'000)
    diagnostics.error(where, fmt::format("this grid has {:.3g} trials; 10 million are the most", trials),
                      "strategy: {type: random, trials: N} draws some of them");
}

void refuse_matrix(const Draft& draft, const StageDraft& stage) {
  if (const Field* matrix = stage.fields.find("matrix"))
    draft.diagnostics.error(matrix->key_where, "a tune stage takes no matrix",
                            "its space makes its instances");
}

Json read_tune(const Draft& draft, const StageDraft& stage, SettingsReader& reader) {
  const Value* train = value_of(stage, "train");
  MethodChoice method;
  if (train != nullptr)
    method = {train->find("model"), train->find("optimizer"), train->find("start_from"),
              train->find("shards"), value_of(stage, "space")};
  const std::string model = model_type(method.model);
  reader.default_types["optimizer"] = default_method(model, method);
  Json config = reader.read(task_settings(TaskKind::tune), stage.fields, stage.stage.where);
  if (config.contains("train") && config["train"].is_object()) {
    count_bytes(config["train"], "cache");
    if (train != nullptr)
      refuse_of_optimizers(train->find("optimizer"), train->find("class_weight"), model, draft.diagnostics);
    if (train != nullptr) check_components(config["train"], train->find("model"), draft.diagnostics);
    finish_train(config["train"]);
    check_method(config["train"], method, stage.stage.where, draft.diagnostics);
    check_network(draft, stage, config["train"], train == nullptr ? nullptr : train->find("model"));
    if (train != nullptr) {
      check_sharing(
          model, config["train"],
          {train->find("precision"), train->find("exact"), train->find("parallel"), train->find("balance")},
          draft.diagnostics);
    }
  }
  if (config.contains("objective") && config["objective"].is_object())
    finish_objective(config["objective"], model, stage, draft.diagnostics);
  refuse_matrix(draft, stage);
  const Value* space = value_of(stage, "space");
  const bool grid = config.contains("strategy") && config["strategy"].value("type", "") == "grid";
  if (space == nullptr || !config.contains("train") || !config["train"].is_object()) return config;
  const std::size_t before = draft.diagnostics.all().size();
  config["space"] = read_space(*space, config["train"], grid, draft.diagnostics);
  if (grid && draft.diagnostics.all().size() == before)
    check_trial_count(config, stage.fields.find("space")->key_where, draft.diagnostics);
  return config;
}

/// A dataset, or a file and how it is read. Keys of the other are refused, and their defaults left out.
void read_evaluate(Json& config, const Draft& draft, const StageDraft& stage) {
  const Field* data = stage.fields.find("data");
  const Field* input = stage.fields.find("input");
  const auto slip = [&](const std::string& key) {
    const std::string meant = nearest(key, {"data", "input", "model", "split"});
    return meant == "data" || meant == "input";
  };
  const auto& unknown = stage.fields.unknown;
  if (data == nullptr && input == nullptr && std::none_of(unknown.begin(), unknown.end(), slip))
    draft.diagnostics.error(
        stage.stage.where, "an evaluate stage needs 'data' or 'input'",
        "data: the dataset to judge the model on, or input: a file with the target column");
  if (data != nullptr && input != nullptr)
    draft.diagnostics.error(input->key_where, "'data' and 'input' exclude each other",
                            "judge on a dataset, or on a file that is prepared as the model's data were");
  for (const Setting& setting : evaluate_settings().settings) {
    const std::string& name = setting.name;
    if (name == "model" || name == "data" || name == "input") continue;
    const bool of_dataset = name == "split";
    if (of_dataset == (input == nullptr)) continue;
    config.erase(name);
    const Field* field = stage.fields.find(name);
    if (field == nullptr || (data != nullptr && input != nullptr)) continue;
    draft.diagnostics.error(field->key_where,
                            fmt::format("'{}' goes with '{}'", name, of_dataset ? "data" : "input"),
                            of_dataset ? "all rows of a file are judged; leave it out"
                                       : "a dataset has been read already; leave it out");
  }
}

/// The outputs of the best trial lie beside what the search itself leaves.
void refuse_names_of_search(const Draft& draft, const StageDraft& stage) {
  for (std::size_t i = artifacts_of(TaskKind::tune).size(); i < stage.outputs.size(); ++i) {
    const std::string& name = stage.outputs[i];
    if (name == "best" || name == "trials" || name == "best.json" || name == "trials.csv")
      draft.diagnostics.error(value_of(stage, "outputs")->where,
                              fmt::format("a search leaves a '{}' of its own", name),
                              "give the output of its trials another name");
  }
}

Json read_command_search(const Draft& draft, const StageDraft& stage, SettingsReader& reader) {
  Json config = reader.read(command_search_settings(), stage.fields, stage.stage.where);
  if (config.contains("objective") && config["objective"].is_object())
    if (const std::string goal = config["objective"].value("goal", ""); goal == "min" || goal == "max")
      config["objective"]["goal"] = goal + "imize";
  refuse_matrix(draft, stage);
  refuse_names_of_search(draft, stage);
  const Value* space = value_of(stage, "space");
  if (space == nullptr || !config.contains("strategy")) return config;
  const bool grid = config["strategy"].value("type", "") == "grid";
  const std::size_t before = draft.diagnostics.all().size();
  config["space"] = read_command_space(*space, grid, draft.diagnostics);
  if (grid && draft.diagnostics.all().size() == before)
    check_trial_count(config, stage.fields.find("space")->key_where, draft.diagnostics);
  return config;
}

void check_output(Diagnostics& diagnostics, const Value& output) {
  const std::string& text = output.text;
  const std::string name = std::filesystem::path(output_of(text).name).lexically_normal().string();
  if (text.starts_with('/') || text.find("..") != std::string::npos)
    return diagnostics.error(output.where, fmt::format("output '{}' lies outside $KERNMILL_OUTPUT", text),
                             "name a file below it, and have the command write it there");
  if (name == "." || name.empty())
    return diagnostics.error(output.where,
                             fmt::format("output '{}' is $KERNMILL_OUTPUT itself, where logs lie, too", text),
                             "name what the command leaves: files, a folder (model/) or a pattern (*.png)");
  if (!has_template(text) && is_file_pattern(std::filesystem::path(name).parent_path().string()))
    diagnostics.error(output.where, fmt::format("the pattern '{}' has a wildcard in a folder's name", text),
                      "only the last part may have one; a folder (plots/) is kept with all that is in it");
}

void check_command(const Draft& draft, const StageDraft& stage) {
  if (const Value* run = value_of(stage, "run");
      run != nullptr && run->is_string() && run->text.find_first_not_of(" \t\n") == std::string::npos)
    draft.diagnostics.error(run->where, "'run' is empty", "");
  const Value* outputs = value_of(stage, "outputs");
  if (outputs == nullptr) return;
  const auto* list = std::get_if<Value::List>(&outputs->data);
  const Value::List one{*outputs};
  for (const Value& output : list == nullptr ? one : *list)
    if (!output.is_map() || output.find("path") != nullptr)
      check_output(draft.diagnostics, part_of(output, "path"));
}

}  // namespace

void read_config(const Draft& draft, StageDraft& stage, SettingsReader& reader) {
  Json& config = stage.stage.config;
  const TaskKind kind = stage.stage.kind;
  if (kind == TaskKind::train) {
    config = read_train(draft, stage, reader);
  } else if (has_points(stage)) {
    config = read_command_search(draft, stage, reader);
    check_command(draft, stage);
  } else if (kind == TaskKind::tune) {
    config = read_tune(draft, stage, reader);
  } else {
    config = reader.read(task_settings(kind), stage.fields, stage.stage.where);
    count_bytes(config, "buffer");
    if (kind == TaskKind::preprocess) check_preprocess(config, draft, stage);
    if (kind == TaskKind::evaluate) read_evaluate(config, draft, stage);
    if (kind == TaskKind::deploy || kind == TaskKind::evaluate) check_columns(draft, stage);
    if (kind == TaskKind::command) check_command(draft, stage);
  }
}

}  // namespace kernmill
