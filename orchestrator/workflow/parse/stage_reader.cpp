#include "kernmill/workflow/parse/stage_reader.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include <fmt/format.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/base/shell_word.hpp"
#include "kernmill/workflow/expression/expression_syntax.hpp"
#include "kernmill/workflow/outputs.hpp"
#include "kernmill/workflow/parse/later_axes.hpp"
#include "kernmill/workflow/parse/matrix.hpp"
#include "kernmill/workflow/parse/references.hpp"
#include "kernmill/workflow/parse/resource_rules.hpp"
#include "kernmill/workflow/parse/secrets.hpp"
#include "kernmill/workflow/parse/task_config.hpp"
#include "kernmill/workflow/parse/templates.hpp"
#include "kernmill/workflow/value/units.hpp"

namespace kernmill {
namespace {

constexpr std::array all_kinds{TaskKind::preprocess, TaskKind::train,  TaskKind::evaluate,
                               TaskKind::tune,       TaskKind::deploy, TaskKind::command};

bool is_stage_name(std::string_view name) {
  const auto good = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= 64 && name[0] != '-' && std::all_of(name.begin(), name.end(), good);
}

const Value::Entry* entry_of(const Value& body, const Setting& setting) {
  const auto* map = std::get_if<Value::Map>(&body.data);
  if (map == nullptr) return nullptr;
  for (const auto& entry : *map) {
    const auto& aliases = setting.aliases;
    if (entry.key == setting.name || std::find(aliases.begin(), aliases.end(), entry.key) != aliases.end())
      return &entry;
  }
  return nullptr;
}

/// `task`, or the presence of `run`, says what kind a stage is.
void read_kind(StageDraft& stage, const Value& body, Diagnostics& diagnostics) {
  const Value* task = body.find("task");
  const auto* run = entry_of(body, *task_settings(TaskKind::command).find("run"));
  stage.runs_command = run != nullptr;
  if (task == nullptr) {
    stage.kind_known = run != nullptr;
    bool slip = false;
    if (const auto* map = std::get_if<Value::Map>(&body.data))
      for (const auto& entry : *map) slip = slip || nearest(entry.key, {"task", "run"}) == "task";
    if (run == nullptr && !slip)
      diagnostics.error(stage.stage.where, fmt::format("stage '{}' needs 'task' or 'run'", stage.stage.name),
                        "task: preprocess, train, evaluate, tune or deploy; run: any shell command");
    return;
  }
  const auto kind = task_kind(task->text);
  if (!kind) {
    const auto& kinds = stage_settings().find("task")->choices;
    const std::string help = did_you_mean(task->text, kinds);
    diagnostics.error(
        task->where,
        task->is_null()
            ? "'task' has no value"
            : fmt::format("unknown task {}", task->is_string() ? "'" + task->text + "'" : describe(*task)),
        help.empty() ? "it is " + one_of(kinds) : help);
    return;
  }
  stage.stage.kind = *kind;
  stage.kind_known = true;
  if (run != nullptr && *kind != TaskKind::command && *kind != TaskKind::tune) {
    stage.kind_known = stage.runs_command = false;
    diagnostics.error(
        run->key_where,
        fmt::format("stage '{}' has both 'task: {}' and '{}'", stage.stage.name, task->text, run->key),
        "a stage is either one of the tasks or a command; only 'task: tune' takes both");
  }
}

/// What is no output is told when the settings are read.
std::vector<std::string> names_of_outputs(const Value& value) {
  std::vector<std::string> names;
  const Value::List one{value};
  const auto* list = std::get_if<Value::List>(&value.data);
  for (const Value& item : list == nullptr ? one : *list) {
    const Value* path = item.is_map() ? item.find("path") : &item;
    if (path != nullptr && !path->text.empty()) names.push_back(output_of(path->text).name);
  }
  return names;
}

/// Of what the expressions in a setting may speak.
TemplateScope scope_of(const Setting* setting, const std::string& key) {
  TemplateScope scope{true, true, "'" + key + "'"};
  if (setting == nullptr) return scope;
  const std::string& name = setting->name;
  const auto is = [&](std::initializer_list<const char*> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (name == "resources" || resource_settings().find(name) == setting ||
      is({"run", "restart", "inputs", "input", "outputs"}))
    scope.stages = is({"inputs", "input"});
  scope.point = is({"run", "restart", "inputs", "outputs", "env"});
  if (is({"matrix", "needs", "retries", "stall", "max_parallel", "pack", "max_fails", "modules", "setup",
          "container", "python", "pass_env", "signal", "task", "space", "strategy", "objective"}))
    scope.matrix = scope.stages = false;
  return scope;
}

const Table& own_settings(const StageDraft& stage) {
  return has_points(stage) ? command_search_settings() : task_settings(stage.stage.kind);
}

std::vector<const Table*> tables_of(const StageDraft& stage) {
  std::vector<const Table*> tables{&stage_settings()};
  if (stage.kind_known) tables.push_back(&own_settings(stage));
  tables.push_back(&resource_settings());
  if (!stage.kind_known)
    for (const TaskKind kind : all_kinds) tables.push_back(&task_settings(kind));
  return tables;
}

std::string kinds_with(const std::string& key) {
  for (const TaskKind kind : all_kinds)
    if (const Setting* setting = task_settings(kind).find(key); setting != nullptr)
      return fmt::format("'{}' is a setting of {}", key, task_settings(kind).name);
  return "";
}

/// A condition may stand without `${{ }}`.
Value as_condition(Value value) {
  if (value.is_string() && !value.is_template()) {
    value.text = "${{ " + value.text + " }}";
    value.data = value.text;
  }
  return value;
}

void read_when(StageDraft& stage, Diagnostics& diagnostics) {
  const Field* field = stage.fields.find("when");
  if (field == nullptr) return;
  const Value& value = *field->value;
  if (const auto* flag = std::get_if<bool>(&value.data)) {
    if (!*flag) stage.stage.when = "${{ false }}";
    return;
  }
  if (!value.is_template())
    return diagnostics.error(value.where, fmt::format("'when' takes a condition, not {}", describe(value)),
                             "when: \"${{ stages.score.accuracy >= 0.9 }}\"");
  stage.stage.when = value.text;
  try {
    const auto parts = template_parts(value.text);
    if (parts.size() != 1 || parts[0].length != value.text.size())
      diagnostics.error(value.where, "'when' takes one condition", "put all of it into one ${{ }}");
  } catch (const ExpressionError&) {
    return;  // reported when names were resolved
  }
}

int count_of(const StageDraft& stage, SettingsReader& reader, std::string_view name) {
  const Field* field = stage.fields.find(name);
  if (field == nullptr) return 0;
  const auto json = reader.convert(*field->setting, *field->value);
  return json && json->is_number() ? json->get<int>() : 0;
}

/// Whether a stage is packed although nobody says so: a thousand instances and more, each of one core. A
/// command that leaves metrics alone and may be cached is not, since a pack keeps no results for later runs
/// of it.
bool is_packed_by_itself(const StageDraft& draft) {
  constexpr std::size_t many = 1000;
  const Stage& stage = draft.stage;
  if (most_instances_of(stage.matrix) < many || !stage.container.empty()) return false;
  for (const char* one : {"nodes", "ntasks", "ntasks_per_node", "cpus_per_task"})
    if (stage.resources.value(one, Json(1)) != Json(1)) return false;
  for (const char* none : {"gpus", "gpus_per_node", "gpus_per_task", "slurm_extra"})
    if (stage.resources.contains(none)) return false;
  return !(stage.kind == TaskKind::command && stage.inputs_declared && draft.outputs.empty());
}

void read_pack(StageDraft& stage, SettingsReader& reader, Diagnostics& diagnostics) {
  const Field* field = stage.fields.find("pack");
  if (field == nullptr) {
    if (is_packed_by_itself(stage)) stage.stage.pack = 0;
    return;
  }
  const auto json = reader.convert(*field->setting, *field->value);
  if (!json || (json->is_string() && *json != "auto")) return;
  stage.stage.pack = json->is_string() ? 0 : json->get<int>();
  if (stage.stage.pack == 1) return;
  if (stage.kind_known && stage.stage.kind != TaskKind::tune && stage.stage.matrix.empty() &&
      !stage.matrix_broken)
    diagnostics.warning(field->key_where, "'pack' does nothing here: the stage has only one instance",
                        "it is for stages with a matrix, and for the trials of a tune stage");
  const Json nodes = stage.stage.resources.value("nodes", Json(1));
  if (const auto range = parse_node_range(nodes.is_string() ? nodes.get<std::string>() : nodes.dump());
      range && range->second > 1)
    diagnostics.error(field->key_where, "instances that need more than one node cannot be packed",
                      fmt::format("remove 'pack', or ask for one node (nodes is {})",
                                  nodes.is_string() ? nodes.get<std::string>() : nodes.dump()));
}

/// Where the stage itself says it, or the stage: what comes from elsewhere has no place in it.
Where place_of(const StageDraft& stage, const char* key) {
  const Field* field = stage.fields.find(key);
  return field == nullptr ? stage.stage.where : field->value->where;
}

/// Makes the folder absolute, and looks for the program that is wanted there.
void place_python(StageDraft& stage, const Draft& draft) {
  std::string& folder = stage.stage.python;
  if (folder.empty()) return;
  const std::string written = folder;
  const auto home = draft.files.variable ? draft.files.variable("HOME") : std::nullopt;
  if (home && folder.starts_with("~/")) folder = *home + folder.substr(1);
  folder = (draft.base_directory / std::filesystem::path(folder)).lexically_normal().string();
  if (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  if (!stage.stage.container.empty())
    return draft.diagnostics.error(
        place_of(stage, "python"),
        fmt::format("stage '{}' has both 'python' and 'container'", stage.stage.name),
        "an image has its own Python: remove 'python', or give the stage python: \"\"");
  if (draft.files.exists && !draft.files.exists(folder + "/bin/python"))
    draft.diagnostics.error(place_of(stage, "python"), fmt::format("there is no {}/bin/python", folder),
                            fmt::format("'python' takes the folder of a venv or of a conda environment; "
                                        "python3 -m venv {} makes one",
                                        word_for_shell(written)));
}

/// One that comes from `defaults:` is for the stages that run longer than that.
void check_stall(const StageDraft& stage, Diagnostics& diagnostics) {
  const Field* field = stage.fields.find("stall");
  const Json time = stage.stage.resources.value("time", Json());
  const std::string text = time.is_string() ? time.get<std::string>() : time.dump();
  const auto limit = has_template(text) ? std::nullopt : parse_time(text);
  if (field == nullptr || !limit || limit->count() == 0 || stage.stage.stall < *limit) return;
  diagnostics.error(field->value->where,
                    fmt::format("'stall' ({}) is not shorter than 'time' ({}), which ends the attempt first",
                                spell_time(stage.stage.stall), spell_time(*limit)),
                    "give it a tenth of the time, or leave it out");
}

Retries retries_of(const Json& json) {
  Retries retries;
  if (json.contains("max") && json["max"].is_number()) retries.max = json["max"].get<int>();
  if (json.contains("on")) retries.on = json["on"].get<std::vector<std::string>>();
  if (json.contains("mem") && json["mem"].is_number()) retries.mem_factor = json["mem"].get<double>();
  if (json.contains("time") && json["time"].is_number()) retries.time_factor = json["time"].get<double>();
  return retries;
}

void take(Stage& stage, CommonSettings common) {
  stage.resources = std::move(common.resources);
  stage.resource_where = std::move(common.resource_where);
  stage.env = std::move(common.env);
  stage.retries = retries_of(common.retries);
  stage.stall = common.stall.value_or(std::chrono::seconds(0));
  stage.modules = common.modules.value_or(std::vector<std::string>{});
  stage.setup = common.setup.value_or(std::vector<std::string>{});
  stage.container = common.container.value_or("");
  stage.python = common.python.value_or("");
  stage.pass_env = common.pass_env.value_or(std::vector<std::string>{});
  const StopSignal signal = common.signal.value_or(StopSignal{});
  stage.signal = signal.name;
  stage.signal_lead = signal.lead;
}

}  // namespace

StageDraft begin_stage(Value::Entry entry, const Draft& draft) {
  StageDraft stage;
  stage.stage.name = entry.key;
  stage.stage.where = entry.key_where;
  if (!is_stage_name(entry.key))
    draft.diagnostics.error(entry.key_where, fmt::format("'{}' cannot be the name of a stage", entry.key),
                            "use letters, digits, _ and -, at most 64");
  if (!entry.value.is_map()) {
    draft.diagnostics.error(
        entry.value.where,
        fmt::format("stage '{}' takes a map of settings, not {}", entry.key, describe(entry.value)),
        "it needs 'task' or 'run'");
    stage.body = {Value::Map{}, entry.value.where, ""};
    return stage;
  }
  read_kind(stage, entry.value, draft.diagnostics);
  stage.body = std::move(entry.value);
  for (Value::Entry& part : std::get<Value::Map>(stage.body.data)) {
    if (part.key != "matrix") continue;
    const TemplateScope scope{false, false, "'matrix'"};
    const std::size_t before = draft.diagnostics.all().size();
    const Value resolved = resolve_templates(std::move(part.value), scope, draft, stage);
    stage.stage.matrix =
        read_matrix(resolved, {draft.files, draft.base_directory, draft.diagnostics, stage.later_where},
                    stage.matrix_broken);
    stage.matrix_broken = stage.matrix_broken || draft.diagnostics.all().size() > before;
    part.value = {Value::Map{}, resolved.where, ""};  // it may be long, and nobody asks for it any more
  }
  return stage;
}

namespace {

/// The space of a search with a command comes first: expressions in other settings speak of its names.
void resolve_space(Value::Map& body, const Draft& draft, StageDraft& stage) {
  for (auto& entry : body) {
    if (entry.key != "space") continue;
    entry.value =
        resolve_templates(std::move(entry.value), TemplateScope{false, false, "'space'"}, draft, stage);
    if (const auto* names = std::get_if<Value::Map>(&entry.value.data))
      for (const auto& name : *names) stage.point_names.push_back(name.key);
  }
}

}  // namespace

void resolve_stage(StageDraft& stage, const Draft& draft) {
  auto* raw = std::get_if<Value::Map>(&stage.body.data);
  if (has_points(stage)) resolve_space(*raw, draft, stage);
  const auto tables = tables_of(stage);
  Value::Map resolved;
  for (auto& entry : *raw) {
    const Setting* setting = nullptr;
    for (const Table* table : tables)
      if (setting == nullptr) setting = table->find(entry.key);
    if (entry.key == "matrix" || (entry.key == "space" && has_points(stage))) {
      resolved.push_back(std::move(entry));
      continue;
    }
    Value value = entry.key == "when" ? as_condition(std::move(entry.value)) : std::move(entry.value);
    const TemplateScope scope = scope_of(setting, entry.key);
    resolved.push_back(
        {entry.key, entry.key_where, resolve_templates(std::move(value), scope, draft, stage)});
  }
  stage.body.data = std::move(resolved);
  SettingsReader reader(draft.diagnostics);
  const std::string owner = stage.kind_known ? own_settings(stage).name : "a stage";
  stage.fields = reader.collect(stage.body, tables, owner, kinds_with);
  stage.stage.inputs_declared = stage.fields.find("inputs") != nullptr;
  if (const Field* outputs = stage.fields.find("outputs")) stage.outputs = names_of_outputs(*outputs->value);
  if (has_points(stage))
    stage.outputs.insert(stage.outputs.begin(), artifacts_of(TaskKind::tune).begin(),
                         artifacts_of(TaskKind::tune).end());
}

void read_stage(StageDraft& stage, const Draft& draft, const CommonSettings& defaults) {
  SettingsReader reader(draft.diagnostics, stage.matrix_broken ? nullptr : &stage.stage.matrix);
  reader.axis_checks = &draft.spent->axis_checks;
  take(stage.stage, lay_over(defaults, read_common(reader, stage.fields, draft.diagnostics)));
  place_secret_files(stage, draft);
  check_resources(stage.stage, draft.diagnostics);
  check_stall(stage, draft.diagnostics);
  place_python(stage, draft);
  check_stop_signal(stage.stage, place_of(stage, "signal"), draft.diagnostics);
  read_when(stage, draft.diagnostics);
  stage.stage.max_parallel = count_of(stage, reader, "max_parallel");
  read_pack(stage, reader, draft.diagnostics);
  stage.stage.max_fails = count_of(stage, reader, "max_fails");
  read_needs(draft, stage);
  read_deciding_stages(draft, stage);
  if (stage.kind_known) read_references(draft, stage);
  check_stage_uses(draft, stage);
  if (stage.kind_known) read_config(draft, stage, reader);
  check_layout(stage.stage, draft.diagnostics);
}

}  // namespace kernmill
