#include "kernmill/workflow/parse/parser.hpp"

#include <algorithm>
#include <cctype>
#include <map>

#include <fmt/format.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/base/shell_word.hpp"
#include "kernmill/workflow/parse/include.hpp"
#include "kernmill/workflow/parse/matrix.hpp"
#include "kernmill/workflow/parse/overrides.hpp"
#include "kernmill/workflow/parse/references.hpp"
#include "kernmill/workflow/parse/secrets.hpp"
#include "kernmill/workflow/parse/stage_reader.hpp"
#include "kernmill/workflow/parse/task_config.hpp"
#include "kernmill/workflow/parse/templates.hpp"
#include "kernmill/workflow/text/limits.hpp"
#include "kernmill/workflow/value/units.hpp"
#include "kernmill/workflow/yaml/yaml_reader.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;

bool is_param_name(std::string_view name) {
  const auto good = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; };
  return !name.empty() && std::isalpha(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(), good);
}

/// A name that may be part of a run's directory.
std::string as_file_name(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool good = std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.';
    name += good ? c : '-';
  }
  // A name that begins with '-' could not be given to a command: it would be an option.
  return name.empty() || name[0] == '.' || name[0] == '-' ? "workflow" : name;
}

class WorkflowParser {
 public:
  WorkflowParser(const SourceFile& source, const ParseOptions& options, const Files& files,
                 Diagnostics& diagnostics)
      : source_(source),
        options_(options),
        diagnostics_(diagnostics),
        draft_{.diagnostics = diagnostics,
               .files = files,
               .base_directory = "",
               .param_numbers = {},
               .stages = {},
               .stage_numbers = {}} {
    workflow_.file = source.path;
    workflow_.text = source.text;
    workflow_.base_directory = fs::absolute(source.path).parent_path().lexically_normal().string();
    draft_.base_directory = workflow_.base_directory;
  }

  Workflow parse() {
    auto root = read_yaml(without_byte_order_mark(source_), diagnostics_);
    if (!root) return std::move(workflow_);
    if (!root->is_map()) {
      diagnostics_.error(root->where,
                         root->is_null()
                             ? "this workflow is empty"
                             : fmt::format("a workflow is a map of keys, not {}", describe(*root)),
                         "it begins like this: stages: {prepare: {task: preprocess, input: data.csv}}");
      return std::move(workflow_);
    }
    WholeWorkflow whole = with_included(std::move(*root), draft_.files, diagnostics_);
    workflow_.included = std::move(whole.included);
    root = std::move(whole.root);
    for (const Setter& setter : options_.set)
      if (is_override(setter.first)) apply_override(*root, setter, diagnostics_);
    SettingsReader reader(diagnostics_);
    const Fields fields =
        reader.collect(*root, {&workflow_settings()}, workflow_settings().name, stage_key_help);
    read_params(fields);
    read_top(reader, fields, *root);
    read_stages(fields, *root);
    return std::move(workflow_);
  }

 private:
  static std::string stage_key_help(const std::string& key) {
    if (stage_settings().find(key) != nullptr || resource_settings().find(key) != nullptr)
      return fmt::format("'{}' belongs into a stage, or under 'defaults'", key);
    if (defaults_settings().find(key) != nullptr)
      return fmt::format("'{}' belongs under 'defaults', into a profile or into the site file", key);
    return "";
  }

  Value resolved(const Value& value, const std::string& place) {
    StageDraft nobody;
    return resolve_templates(value, {false, false, place}, draft_, nobody);
  }

  void read_params(const Fields& fields) {
    const Field* field = fields.find("params");
    const auto* map = field == nullptr ? nullptr : std::get_if<Value::Map>(&field->value->data);
    if (field != nullptr && map == nullptr && !field->value->is_null())
      diagnostics_.error(field->value->where,
                         "'params' takes a map from names to values, not " + describe(*field->value));
    std::vector<std::string> names;
    if (map != nullptr)
      for (const auto& entry : *map) names.push_back(entry.key);
    read_overrides(names);
    if (map == nullptr) return;
    for (const auto& entry : *map) {
      if (!is_param_name(entry.key))
        diagnostics_.error(entry.key_where, fmt::format("'{}' cannot be the name of a parameter", entry.key),
                           "a name begins with a letter; letters, digits, _ and - may follow");
      else
        add_param(entry);
    }
  }

  void add_param(const Value::Entry& entry) {
    const auto other = overrides_.find(entry.key);
    const Value& value = other == overrides_.end() ? entry.value : other->second;
    Value param = resolved(value, "'params'");
    warn_of_secret_param(entry.key, param, other == overrides_.end() ? entry.key_where : set_where(entry.key),
                         diagnostics_);
    auto& params = std::get<Value::Map>(draft_.params.data);
    draft_.param_numbers.emplace(entry.key, params.size());
    params.push_back({entry.key, entry.key_where, std::move(param)});
  }

  /// The place of `--set NAME=...`, without what it was set to.
  static Where set_where(const std::string& name) {
    return {std::make_shared<const SourceFile>(SourceFile{"--set", name + "=..."}), 1, 1,
            static_cast<std::uint32_t>(name.size())};
  }

  void read_overrides(const std::vector<std::string>& names) {
    for (const auto& [name, text] : options_.set) {
      if (is_override(name)) continue;
      const auto file =
          std::make_shared<const SourceFile>(SourceFile{"--set", fmt::format("{}={}", name, text)});
      const Where where{file, 1, 1, static_cast<std::uint32_t>(std::max<std::size_t>(name.size(), 1))};
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        std::string help = did_you_mean(name, names);
        if (help.empty())
          help = names.empty() ? "the workflow has no params; a key of the file is named by its path: "
                                 "--set stages.fit.model.l2=3"
                               : "its params are " + one_of(names);
        diagnostics_.error(where, fmt::format("unknown parameter '{}'", name), help);
        continue;
      }
      const auto given = std::make_shared<const SourceFile>(SourceFile{"--set " + name, text});
      if (auto value = read_argument(given, diagnostics_)) overrides_[name] = std::move(*value);
    }
  }

  void read_top(SettingsReader& reader, const Fields& given, const Value& root) {
    Fields fields = given;
    resolved_top_.reserve(fields.known.size());  // fields keep pointers into it
    for (Field& field : fields.known) {
      if (field.setting->type != SettingType::text && field.setting->name != "storage") continue;
      resolved_top_.push_back(resolved(*field.value, "'" + field.setting->name + "'"));
      field.value = &resolved_top_.back();
    }
    Table table = workflow_settings();
    std::erase_if(table.settings, [](const Setting& s) { return s.name == "defaults"; });
    const bool has_stages = fields.find("stages") != nullptr;
    const Json top = reader.read(table, fields, {root.where.file, has_stages ? root.where.line : 1, 1, 1});
    workflow_.name = as_file_name(top.value("name", fs::path(source_.path).stem().string()));
    workflow_.share_group = top.value("share", "private") == "group";
    if (const auto found = top.find("encryption"); found != top.end())
      read_encryption(*found, fields.find("encryption")->value->where);
    if (const Field* field = fields.find("snapshot")) read_snapshot(*field->value);
    for (const char* hook : {"on_success", "on_failure"}) check_hook(top, hook, fields);
    workflow_.on_success = top.value("on_success", "");
    workflow_.on_failure = top.value("on_failure", "");
    if (const Json mail = top.value("mail", Json::object()); !mail.empty()) {
      workflow_.mail_to = mail.value("to", "");
      workflow_.mail_of_failure_only = mail.value("on", "end") == "failure";
    }
    workflow_.params = to_json(draft_.params);
    for (const SourceFile& outer : options_.outer_defaults)
      if (const auto value = read_yaml(without_byte_order_mark(outer), diagnostics_);
          value && !value->is_null())
        defaults_ = lay_over(defaults_, read_defaults(*value, reader));
    if (const Field* field = given.find("defaults"); field != nullptr && !field->value->is_null())
      defaults_ = lay_over(defaults_, read_defaults(*field->value, reader));
    read_bad_nodes(defaults_.bad_nodes);
    const Json storage = storage_over(defaults_.storage, top.value("storage", Json::object()));
    workflow_.storage = {storage.value("transport", "auto"), storage.value("hints", Json::object())};
  }

  void read_bad_nodes(const Json& given) {
    if (given.contains("for")) {
      const Json& time = given["for"];
      const auto known = parse_time(time.is_string() ? time.get<std::string>() : time.dump());
      if (known) workflow_.bad_nodes.avoid_for = *known;
    }
    workflow_.bad_nodes.per_user = given.value("keep", "run") == "user";
  }

  /// Linux takes words of 128 KiB at most, and so does the shell that gets the command as one.
  void check_hook(const Json& top, const char* hook, const Fields& fields) {
    constexpr std::size_t longest = 128 * 1024 - 1;
    if (top.value(hook, "").size() <= longest) return;
    diagnostics_.error(fields.find(hook)->value->where, fmt::format("'{}' is longer than 128 KiB", hook),
                       "put the commands into a file, and name that");
  }

  void read_encryption(const Json& given, const Where& where) {
    Encryption& encryption = workflow_.encryption;
    encryption.key_env = given.value("key_env", "");
    if (given.contains("key_file")) {
      const fs::path file = given.at("key_file").get<std::string>();
      encryption.key_file = (workflow_.base_directory / file).lexically_normal().string();
    }
    if (encryption.key_file.empty() == encryption.key_env.empty())
      return diagnostics_.error(where, "'encryption' takes either 'key_file' or 'key_env'",
                                "make a key: (umask 077; openssl rand -hex 32 > key), and name it: "
                                "encryption: {key_file: key}");
    if (encryption.key_file.empty() || !draft_.files.key_problem) return;
    if (const std::string problem = draft_.files.key_problem(encryption.key_file); !problem.empty())
      diagnostics_.error(where, fmt::format("'{}' cannot be the key: {}", encryption.key_file, problem),
                         fmt::format("chmod 600 {0}, or make one: (umask 077; openssl rand -hex 32 > {0})",
                                     word_for_shell(encryption.key_file)));
  }

  void read_snapshot(const Value& given) {
    Snapshot& code = workflow_.snapshot;
    code.where = given.where;
    const auto* list = std::get_if<Value::List>(&given.data);
    if (list == nullptr && given.text == "git") {
      code.git = true;
    } else if (list == nullptr) {
      add_code(given);
    } else {
      for (const Value& item : *list) add_code(item);
    }
  }

  void add_code(const Value& item) {
    if (!item.is_string() || item.text.empty()) return;  // reported
    const fs::path path = fs::path(item.text).lexically_normal();
    if (path.is_absolute() || *path.begin() == "..")
      return diagnostics_.error(item.where,
                                fmt::format("'{}' does not lie in the workflow's folder", item.text),
                                "name files and folders beside the workflow; `snapshot: git` takes the whole "
                                "repository that it lies in");
    if (!draft_.files.exists(fs::path(draft_.base_directory) / path))
      return diagnostics_.error(item.where, fmt::format("there is no '{}'", item.text),
                                "paths are relative to the workflow's file");
    workflow_.snapshot.paths.push_back(path.string());
  }

  CommonSettings read_defaults(const Value& value, SettingsReader& reader) {
    if (!value.is_map()) {
      diagnostics_.error(value.where, "defaults are a map of settings, not " + describe(value));
      return {};
    }
    const Value body = resolved(value, "'defaults'");
    const Fields fields =
        reader.collect(body, {&defaults_settings(), &resource_settings()}, defaults_settings().name);
    return read_common(reader, fields, diagnostics_);
  }

  /// The stages are taken out of `root`: a long matrix is not copied.
  void read_stages(const Fields& fields, Value& root) {
    const Field* field = fields.find("stages");
    if (field == nullptr) return;
    auto& top = std::get<Value::Map>(root.data);
    const auto entry_of_stages = std::find_if(
        top.begin(), top.end(), [&](const Value::Entry& entry) { return &entry.value == field->value; });
    auto* map = std::get_if<Value::Map>(&entry_of_stages->value.data);
    if (map == nullptr || map->empty())
      return diagnostics_.error(
          field->value->where,
          map == nullptr && !field->value->is_null()
              ? "'stages' takes a map from names to stages, not " + describe(*field->value)
              : "this workflow has no stages",
          "stages: {prepare: {task: preprocess, input: data.csv}}");
    draft_.stages.reserve(map->size());
    for (auto& entry : *map) {
      draft_.stage_numbers.emplace(entry.key, draft_.stages.size());
      draft_.stages.push_back(begin_stage(std::move(entry), draft_));
    }
    for (StageDraft& stage : draft_.stages) resolve_stage(stage, draft_);
    for (StageDraft& stage : draft_.stages) read_stage(stage, draft_, defaults_);
    connect_stages(draft_);
    check_targets(draft_);
    check_instance_count();
    for (StageDraft& stage : draft_.stages) workflow_.stages.push_back(std::move(stage.stage));
    for (const Stage& stage : workflow_.stages)
      warn_of_written_key(stage, workflow_.encryption, diagnostics_);
  }

  void check_instance_count() {
    std::uint64_t count = 0;
    for (const StageDraft& stage : draft_.stages) {
      count += most_instances_of(stage.stage.matrix);
      if (count > limits::instances)
        return diagnostics_.error(stage.stage.where,
                                  fmt::format("this workflow has more than {} instances", limits::instances),
                                  "make several workflows of it");
    }
  }

  const SourceFile& source_;
  const ParseOptions& options_;
  Diagnostics& diagnostics_;
  Draft draft_;
  Workflow workflow_;
  std::map<std::string, Value> overrides_;
  CommonSettings defaults_;
  std::vector<Value> resolved_top_;
};

}  // namespace

Workflow parse_workflow(const SourceFile& source, const ParseOptions& options, const Files& files,
                        Diagnostics& diagnostics) {
  diagnostics.stop_at(limits::mistakes);
  Workflow workflow;
  try {
    workflow = WorkflowParser(source, options, files, diagnostics).parse();
  } catch (const TooManyMistakes&) {
    diagnostics.stop_at(std::string::npos);
    const auto file = std::make_shared<const SourceFile>(SourceFile{source.path, ""});
    diagnostics.error({file, 0, 0, 1}, fmt::format("there are more than {} mistakes", limits::mistakes),
                      "mend those that are shown first");
  }
  diagnostics.stop_at(std::string::npos);
  diagnostics.sort();
  return workflow;
}

}  // namespace kernmill
