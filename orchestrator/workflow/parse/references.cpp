#include "kernmill/workflow/parse/references.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/base/file_pattern.hpp"
#include "kernmill/workflow/expression/expression.hpp"
#include "kernmill/workflow/parse/matrix.hpp"
#include "kernmill/workflow/text/limits.hpp"

namespace kernmill {
namespace {

constexpr const char* own_folder = "dir";  ///< `stages.NAME.dir`: where a stage leaves its artifacts

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string with_article(std::string_view noun) {
  const bool vowel = !noun.empty() && std::string_view("aeiou").find(noun[0]) != std::string_view::npos;
  return fmt::format("{} {}", vowel ? "an" : "a", noun);
}

/// What a setting wants, in words.
std::string wanted_words(const std::string& artifact) {
  if (artifact == "dataset") return "a dataset";
  if (artifact == "model") return "a model";
  if (artifact == "best") return "the best configuration of a tune stage";
  return "a CSV file";
}

TaskKind kind_that_leaves(const std::string& artifact) {
  if (artifact == "dataset") return TaskKind::preprocess;
  return artifact == "model" ? TaskKind::train : TaskKind::tune;
}

const std::vector<std::string>& leaves(const StageDraft& stage) {
  return stage.runs_command ? stage.outputs : artifacts_of(stage.stage.kind);
}

/// Whether an artifact of a stage may stand where `wanted` is wanted. What a command leaves is its author's
/// affair.
bool fits(const StageDraft& stage, const std::string& artifact, const std::string& wanted) {
  if (wanted == "any" || stage.stage.kind == TaskKind::command) return true;
  if (has_points(stage))
    return contains(artifacts_of(TaskKind::tune), artifact) ? artifact == "trials" && wanted == "csv"
                                                            : wanted != "best";
  if (wanted == "csv") return artifact == "predictions" || artifact == "trials" || artifact == "rejected";
  return artifact == wanted;
}

bool matches(const std::string& pattern, std::string_view name) {
  if (!pattern.ends_with('*')) return pattern == name;
  return name.size() >= pattern.size() &&
         name.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1));
}

bool have_same_instances(const StageDraft& from, const StageDraft& to) {
  const auto [known, is_new] = from.same_instances.try_emplace(to.stage.name, false);
  if (is_new) known->second = same_instances(from.stage.matrix, to.stage.matrix);
  return known->second;
}

/// A stage with several instances can be meant only by one with the same instances.
bool check_instances(const Draft& draft, const StageDraft& from, const StageDraft& to, const Where& where) {
  if (from.matrix_broken || to.matrix_broken || !has_several_instances(to.stage.matrix)) return true;
  if (have_same_instances(from, to)) return true;
  draft.diagnostics.error(
      where, fmt::format("stage '{}' has several instances; which one is meant?", to.stage.name),
      from.stage.kind == TaskKind::command
          ? fmt::format("give stage '{0}' the same matrix, and instance i takes what instance i left; or "
                        "gather them all: inputs: [{1}]",
                        from.stage.name, to.stage.name)
          : fmt::format("give stage '{}' the same matrix, and instance i takes what instance i left",
                        from.stage.name));
  return false;
}

class ReferenceReader {
 public:
  ReferenceReader(const Draft& draft, StageDraft& stage) : draft_(draft), stage_(stage) {}

  void add(const Setting& setting, const Value& value, const std::string& key) {
    setting_ = &setting;
    key_ = key;
    where_ = value.where;
    if (value.is_list() || value.is_map() || value.is_null()) {
      const std::string message =
          value.is_null() ? fmt::format("'{}' has no value", key)
                          : fmt::format("'{}' takes a stage or a file, not {}", key, describe(value));
      return refuse(message, "it takes " + offer());
    }
    if (value.is_template()) return add_template(value);
    add_text(value.text);
  }

 private:
  void add_template(const Value& value) {
    const std::string& text = std::get<std::string>(value.data);
    const auto open = stage_.uses.begin();
    for (auto use = open; use != stage_.uses.end(); ++use) {
      if (use->where.line != where_.line || text.find(use->stage) == std::string::npos) continue;
      if (!text.starts_with("${{") || text.find("}}") != text.size() - 2)
        return refuse(fmt::format("'{}' cannot be put together from results of stages", key_),
                      "it takes " + offer());
      const StageUse taken = *use;
      stage_.uses.erase(use);
      const StageDraft* to = find_stage(draft_, taken.stage, taken.where);
      return to == nullptr ? void() : add_artifact(*to, taken.name);
    }
    add_file_of_instances(text);
  }

  /// A path with matrix values in it: each instance's file has to be there.
  void add_file_of_instances(const std::string& text) {
    const std::string path = absolute_path(draft_, text);
    stage_.stage.inputs.push_back({key_, "", "", path, where_});
    try {
      check_files_of_instances(path);
    } catch (const ExpressionError&) {
      return;  // reported when names were resolved
    }
  }

  /// Only for a path of one axis: others are looked at when the run is planned.
  void check_files_of_instances(const std::string& path) {
    const auto names = names_in(path);
    const auto other = [&](const NamePath& name) {
      return name.size() != 2 || name[0] != "matrix" || name != names[0];
    };
    if (names.empty() || std::any_of(names.begin(), names.end(), other)) return;
    for (const auto& axis : stage_.stage.matrix.axes) {
      if (axis.name != names[0][1]) continue;
      for (std::size_t v = 0; v < axis.values.size(); ++v) {
        if (++draft_.spent->axis_checks > limits::axis_checks) return;
        const Known item(axis.values[v], axis.text(v));
        const Json filled = evaluate(path, [&](const NamePath&) { return std::optional(item); });
        if (!draft_.files.exists(filled.get<std::string>()))
          return refuse(
              fmt::format("with matrix.{} = {}, there is no file '{}'", axis.name,
                          item.text.empty() ? item.value.dump() : item.text, filled.get<std::string>()),
              "");
      }
    }
  }

  void add_text(const std::string& text) {
    if (const StageDraft* to = draft_.find(text)) return add_main_artifact(*to);
    const auto dot = text.find('.');
    const std::string head = text.substr(0, dot);
    const bool path_like = text.find('/') != std::string::npos;
    if (dot != std::string::npos && !path_like && setting_->artifact != "best")
      if (const StageDraft* to = draft_.find(head))
        return add_file_or_artifact(*to, text, text.substr(dot + 1));
    if (dot != std::string::npos && !path_like)
      if (const StageDraft* to = draft_.find(head)) return add_artifact(*to, text.substr(dot + 1));
    const bool bare = dot == std::string::npos && !path_like;
    if ((bare && setting_->artifact != "csv" && !exists(text)) || setting_->artifact == "best")
      return unknown_stage(head);
    add_file(text, head);
  }

  /// `train.csv` is an artifact of the stage `train` if that leaves it, or a file if there is one.
  void add_file_or_artifact(const StageDraft& to, const std::string& text, const std::string& artifact) {
    const bool leaves_it = &to != &stage_ && contains(leaves(to), artifact);
    if (!exists(text)) {
      if (&to == &stage_ && !contains(leaves(to), artifact)) return add_file(text, text);
      return add_artifact(to, artifact);
    }
    if (!leaves_it) return add_file(text, text);
    refuse(fmt::format("'{}' is a file, and stage '{}' leaves '{}'; which is meant?", text, to.stage.name,
                       artifact),
           fmt::format("write ./{} for the file, ${{{{ stages.{}['{}'] }}}} for what the stage leaves", text,
                       to.stage.name, artifact));
  }

  void unknown_stage(const std::string& name) {
    std::string help = did_you_mean(name, draft_.stage_names());
    if (help.empty() && !name.empty() && setting_->artifact != "best")
      help = fmt::format("'{}' takes {}", key_, offer());
    if (help.empty()) help = "it takes " + offer();
    refuse(fmt::format("there is no stage '{}'", name), help);
  }

  /// Many files, which the task lists: what a login node can tell is that their folder is there, and that
  /// there are some.
  void add_pattern(const std::string& text, const std::string& path) {
    const std::string folder = path.substr(0, path.rfind('/'));
    const auto slash = text.rfind('/');
    if (slash != std::string::npos && is_file_pattern(text.substr(0, slash)) && !draft_.files.exists(folder))
      return refuse(fmt::format("the pattern '{}' has a wildcard in a folder's name", text),
                    "only the file's name may have one");
    if (!draft_.files.exists(folder))
      return refuse(fmt::format("there is no folder '{}'", folder),
                    "paths are relative to the workflow's file");
    if (setting_->artifact == "any" && draft_.files.pattern_matches && !draft_.files.pattern_matches(path))
      return refuse(fmt::format("no file matches the pattern '{}'", text),
                    "paths are relative to the workflow's file; this one is " + path);
    stage_.stage.inputs.push_back({key_, "", "", path, where_});
  }

  void add_file(const std::string& text, const std::string& head) {
    const std::string path = absolute_path(draft_, text);
    if (!exists(text)) {
      if (is_file_pattern(text) && (setting_->artifact == "csv" || setting_->artifact == "any"))
        return add_pattern(text, path);
      const std::string guess = did_you_mean(head, draft_.stage_names(), "stage '{}'");
      const bool slash = text.find('/') != std::string::npos;
      return refuse(fmt::format("there is no file '{}'", text),
                    !guess.empty() && !slash
                        ? guess
                        : "paths are relative to the workflow's file; this one is " + path);
    }
    if (const std::string what = draft_.files.no_file ? draft_.files.no_file(path) : ""; !what.empty())
      return refuse(fmt::format("'{}' is {}, not a file", text, what),
                    "name a regular file: it is read more than once");
    const std::string extension = std::filesystem::path(text).extension().string();
    const bool wants_hdf5 = setting_->artifact == "dataset" || setting_->artifact == "model";
    if (wants_hdf5 && extension != ".h5" && extension != ".hdf5")
      return refuse(
          fmt::format("'{}' takes {}, an .h5 file, not '{}'", key_, wanted_words(setting_->artifact), text),
          setting_->artifact == "dataset" ? "a preprocess stage makes a dataset of a CSV file"
                                          : "a train stage makes a model");
    stage_.stage.inputs.push_back({key_, "", "", path, where_});
  }

  void add_main_artifact(const StageDraft& to) {
    if (!to.kind_known) return wait_for(to);
    if (gathers(to)) return gather(to, "");
    const auto& artifacts = leaves(to);
    if (to.stage.kind == TaskKind::command && artifacts.size() != 1) {
      const std::string help = artifacts.empty()
                                   ? fmt::format("list what '{}' leaves under its 'outputs'", to.stage.name)
                                   : fmt::format("write {}.{}", to.stage.name, one_of(artifacts));
      return refuse(fmt::format("command '{}' {}", to.stage.name,
                                artifacts.empty() ? "declares no outputs" : "has several outputs"),
                    help);
    }
    add_artifact(to, artifacts.front());
  }

  void add_artifact(const StageDraft& to, const std::string& artifact) {
    if (&to == &stage_) return refuse(fmt::format("stage '{}' depends on itself", to.stage.name), "");
    if (!to.kind_known) return wait_for(to);
    const auto& artifacts = leaves(to);
    if (artifact == own_folder && setting_->artifact == "any" && !artifacts.empty() &&
        !contains(artifacts, own_folder))
      return add_directory(to);
    if (!contains(artifacts, artifact)) {
      const std::string help = did_you_mean(artifact, artifacts);
      const bool known = !artifacts.empty();
      return refuse(fmt::format("stage '{}' leaves no '{}'", to.stage.name, artifact),
                    !help.empty() ? help
                    : known       ? "it leaves " + one_of(artifacts)
                                  : "list it under its 'outputs'");
    }
    if (setting_->artifact == "best" && has_points(to))
      return refuse(fmt::format("'{}' takes settings to train with, and the search '{}' tries a command",
                                key_, to.stage.name),
                    fmt::format("a command reads its best point: inputs: [{}.best]", to.stage.name));
    if (!fits(to, artifact, setting_->artifact)) return mismatch(to, artifact);
    if (gathers(to)) return gather(to, artifact);
    if (!check_instances(draft_, stage_, to, where_)) return;
    stage_.stage.inputs.push_back({key_, to.stage.name, artifact, "", where_});
    wait_for(to);
  }

  /// `train.dir`: all that the stage leaves.
  void add_directory(const StageDraft& to) {
    if (gathers(to)) return gather(to, "");
    if (!check_instances(draft_, stage_, to, where_)) return;
    stage_.stage.inputs.push_back({key_, to.stage.name, own_folder, "", where_});
    wait_for(to);
  }

  /// Whether a command means all instances of a stage: where it has a matrix, and not the same one.
  [[nodiscard]] bool gathers(const StageDraft& to) const {
    return setting_->artifact == "any" && &to != &stage_ && !to.stage.matrix.empty() && !to.matrix_broken &&
           !stage_.matrix_broken && !have_same_instances(stage_, to);
  }

  void gather(const StageDraft& to, const std::string& artifact) {
    stage_.stage.inputs.push_back({key_, to.stage.name, artifact, "", where_, true});
    wait_for(to);
  }

  void mismatch(const StageDraft& to, const std::string& artifact) {
    const std::string& wanted = setting_->artifact;
    std::vector<std::string> good;
    if (wanted != "csv")
      for (const StageDraft& other : draft_.stages)
        if (&other != &stage_ && other.kind_known && other.stage.kind == kind_that_leaves(wanted))
          good.push_back(other.stage.name);
    std::string help = wanted == "csv" ? "name a CSV file" : "there is no stage that leaves one";
    if (!good.empty()) help = "name " + one_of(good);
    refuse(fmt::format("'{}' takes {}, but '{}' is {} stage and leaves {}", key_, wanted_words(wanted),
                       to.stage.name, with_article(to_string(to.stage.kind)), with_article(artifact)),
           help);
  }

  void wait_for(const StageDraft& to) { stage_.waits.push_back({to.stage.name, where_}); }
  [[nodiscard]] bool exists(const std::string& text) const {
    return draft_.files.exists(absolute_path(draft_, text));
  }

  [[nodiscard]] std::string offer() const {
    const std::string& wanted = setting_->artifact;
    if (wanted == "best") return "a tune stage";
    if (wanted == "csv") return "a CSV file";
    if (wanted == "any") return "a file, or stage.artifact";
    return fmt::format("{} stage or an .h5 file", with_article(to_string(kind_that_leaves(wanted))));
  }

  void refuse(std::string message, std::string help) {
    draft_.diagnostics.error(where_, std::move(message), std::move(help));
  }

  const Draft& draft_;
  StageDraft& stage_;
  const Setting* setting_ = nullptr;
  std::string key_;
  Where where_;
};

/// The stage that trains, of a stage or of the model that it judges; null where that is not known.
const StageDraft* trained(const Draft& draft, const StageDraft& stage) {
  if (stage.stage.kind == TaskKind::train) return &stage;
  const Field* model = stage.fields.find("model");
  const StageDraft* fit =
      model == nullptr ? nullptr : draft.find(model->value->text.substr(0, model->value->text.find('.')));
  return fit != nullptr && fit->stage.kind == TaskKind::train ? fit : nullptr;
}

/// Those of the stage's model, where it is one without a target.
std::vector<std::string> metrics_of_stage(const Draft& draft, const StageDraft& to) {
  const bool judges = to.stage.kind == TaskKind::evaluate;
  const StageDraft* fit = judges || to.stage.kind == TaskKind::train ? trained(draft, to) : nullptr;
  const Json model = fit == nullptr ? Json() : fit->stage.config.value("model", Json());
  const WithoutTarget* own = model.is_object() ? without_target(model.value("type", "")) : nullptr;
  if (own == nullptr) return metrics_of(to.stage.kind);
  std::vector<std::string> metrics = judges ? own->metrics : own->train_metrics;
  metrics.emplace_back("rows");
  return metrics;
}

void check_name(const Draft& draft, const StageDraft& to, const StageUse& use) {
  const auto metrics = metrics_of_stage(draft, to);
  if (to.kind_known && use.name == own_folder) {
    if (leaves(to).empty())
      draft.diagnostics.error(
          use.where,
          fmt::format("stage '{}' declares no outputs, and so has no folder for others", use.stage),
          "list what it leaves there under its 'outputs'");
    return;
  }
  if (!to.kind_known || to.stage.kind == TaskKind::command || contains(leaves(to), use.name)) return;
  if (std::any_of(metrics.begin(), metrics.end(), [&](const auto& m) { return matches(m, use.name); }))
    return;
  auto names = metrics;
  const auto& artifacts = leaves(to);
  names.insert(names.end(), artifacts.begin(), artifacts.end());
  const std::string guess = did_you_mean(use.name, names);
  draft.diagnostics.error(use.where,
                          fmt::format("{} stage has no metric or artifact '{}'",
                                      with_article(to_string(to.stage.kind)), use.name),
                          guess.empty() ? fmt::format("it has {}", fmt::join(names, ", ")) : guess);
}

}  // namespace

std::string absolute_path(const Draft& draft, const std::string& path) {
  return (std::filesystem::path(draft.base_directory) / path).lexically_normal().string();
}

const StageDraft* find_stage(const Draft& draft, const std::string& name, const Where& where) {
  const StageDraft* stage = draft.find(name);
  if (stage == nullptr) {
    const std::string help = did_you_mean(name, draft.stage_names());
    draft.diagnostics.error(
        where, fmt::format("there is no stage '{}'", name),
        help.empty() ? fmt::format("the stages are {}", fmt::join(draft.stage_names(), ", ")) : help);
  }
  return stage;
}

void read_references(const Draft& draft, StageDraft& stage) {
  ReferenceReader reader(draft, stage);
  for (const Field& field : stage.fields.known) {
    if (field.setting->type == SettingType::reference)
      reader.add(*field.setting, *field.value, field.setting->name);
    if (field.setting->type != SettingType::references) continue;
    const auto* list = std::get_if<Value::List>(&field.value->data);
    if (list == nullptr) {
      reader.add(*field.setting, *field.value, field.setting->name + "[0]");
      continue;
    }
    if (list->size() > limits::references)
      draft.diagnostics.error(
          field.value->where,
          fmt::format("'{}' names more than {} files", field.setting->name, limits::references),
          "name their folder, or a pattern");
    for (std::size_t i = 0; i < std::min(list->size(), limits::references); ++i)
      reader.add(*field.setting, (*list)[i], fmt::format("{}[{}]", field.setting->name, i));
  }
}

void check_stage_uses(const Draft& draft, StageDraft& stage) {
  for (const StageUse& use : stage.uses) {
    const StageDraft* to = find_stage(draft, use.stage, use.where);
    if (to == nullptr) continue;
    if (to == &stage) {
      draft.diagnostics.error(use.where, fmt::format("stage '{}' depends on itself", use.stage));
      continue;
    }
    if (use.name.empty())
      draft.diagnostics.error(use.where, fmt::format("which result of stage '{}' is meant?", use.stage),
                              fmt::format("write stages.{}.NAME, a metric or an artifact", use.stage));
    else
      check_name(draft, *to, use);
    if (check_instances(draft, stage, *to, use.where)) stage.waits.push_back({use.stage, use.where});
  }
}

}  // namespace kernmill
