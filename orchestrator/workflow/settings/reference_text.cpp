#include <array>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/workflow/settings/schema.hpp"
#include "kernmill/workflow/settings/settings.hpp"

namespace kernmill {
namespace {

std::string_view type_word(SettingType type) {
  using T = SettingType;
  switch (type) {
    case T::boolean:
      return "true or false";
    case T::integer:
      return "whole number";
    case T::number_or_auto:
      return "`auto` or whole number";
    case T::real:
      return "number";
    case T::text:
      return "text";
    case T::text_list:
      return "list of texts";
    case T::integer_list:
      return "list of whole numbers";
    case T::real_list:
      return "list of numbers";
    case T::reference:
      return "stage or file";
    case T::references:
      return "list of stages and files";
    case T::interval:
      return "whole number, time, or `auto`";
    case T::time:
    case T::period:
      return "time";
    case T::memory:
      return "memory";
    case T::nodes:
      return "number or range";
    case T::gpus:
      return "number of GPUs";
    case T::factor:
      return "factor";
    case T::expression:
      return "condition";
    default:
      return "map";
  }
}

std::string joined_code(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += fmt::format("{}`{}`", text.empty() ? "" : ", ", word);
  return text;
}

/// `|` would end a table's cell.
std::string cell(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '|' ? std::string("\\|") : std::string(1, c);
  return result;
}

std::string default_of(const Setting& setting) {
  if (setting.required) return "required";
  if (!setting.fallback_doc.empty()) return setting.fallback_doc;
  if (!setting.fallback || setting.fallback->is_null() || setting.fallback->is_object()) return "";
  return fmt::format("`{}`", setting.fallback->is_string() && !setting.fallback->get<std::string>().empty()
                                 ? setting.fallback->get<std::string>()
                                 : setting.fallback->dump());
}

std::string takes(const Setting& setting) {
  if (setting.choices.empty()) return std::string(type_word(setting.type));
  const std::string words = joined_code(setting.choices);
  return setting.type == SettingType::real ? fmt::format("number, {}", words) : words;
}

void add_table(std::string& out, const Table& table) {
  if (table.settings.empty()) {
    out += "No settings of its own.\n";
    return;
  }
  out += "| key | takes | default | meaning |\n|---|---|---|---|\n";
  for (const Setting& setting : table.settings) {
    std::string also = setting.aliases.empty() ? "" : " (also " + joined_code(setting.aliases) + ")";
    out += fmt::format("| `{}`{} | {} | {} | {} |\n", setting.name, also, takes(setting),
                       cell(default_of(setting)), cell(setting.doc));
  }
}

/// The paths that a section has told: several kinds of a map may have a setting in common.
using Told = std::set<std::string>;

void add_nested(std::string& out, const Table& table, const std::string& path, Told& told);

void add_variant(std::string& out, const Setting& setting, const std::string& path, Told& told) {
  if (!told.insert(path).second) return;
  for (const auto& alternative : setting.variant->alternatives) {
    const std::string here = fmt::format("{}: {{type: {}}}", path, alternative.type);
    out += fmt::format("\n**`{}`**: {}\n\n", here, alternative.doc);
    add_table(out, alternative.table);
    add_nested(out, alternative.table, path, told);
  }
}

/// The tables of the settings that are maps themselves.
void add_nested(std::string& out, const Table& table, const std::string& path, Told& told) {
  for (const Setting& setting : table.settings) {
    const bool named = setting.type == SettingType::table_map ||
                       (setting.type == SettingType::text_map && setting.table != nullptr);
    const bool listed = setting.type == SettingType::text_list && setting.table != nullptr;
    const std::string here = (path.empty() ? setting.name : path + "." + setting.name) +
                             (named ? ".NAME" : "") + (listed ? "[]" : "");
    if (setting.type == SettingType::variant) add_variant(out, setting, here, told);
    if ((setting.type != SettingType::table && !named && !listed) || setting.table == &resource_settings() ||
        setting.table == &retries_settings() || setting.table == &trial_settings() ||
        setting.table == &defaults_settings())
      continue;
    if (!told.insert(here).second) continue;
    out += fmt::format("\n**`{}`**", here);
    if (!setting.table->shorthand.empty())
      out += fmt::format(" (a plain value stands for `{}`)", setting.table->shorthand);
    out += "\n\n";
    add_table(out, *setting.table);
    add_nested(out, *setting.table, here, told);
  }
}

void add_section(std::string& out, const std::string& title, const Table& table) {
  out += fmt::format("\n### {}\n\n", title);
  add_table(out, table);
  Told told;
  add_nested(out, table, "", told);
}

void add_results(std::string& out, TaskKind kind) {
  if (kind == TaskKind::command) return;
  out += fmt::format("\nLeaves {}; metrics {}.\n", joined_code(artifacts_of(kind)),
                     joined_code(metrics_of(kind)));
}

}  // namespace

std::string key_reference() {
  std::string out;
  add_section(out, "The workflow", workflow_settings());
  add_section(out, "`defaults`", defaults_settings());
  add_section(out, "Every stage", stage_settings());
  add_section(out, "`resources`", resource_settings());
  add_section(out, "`retries`", retries_settings());
  for (const TaskKind kind : {TaskKind::preprocess, TaskKind::train, TaskKind::evaluate, TaskKind::tune,
                              TaskKind::deploy, TaskKind::command}) {
    add_section(out, kind == TaskKind::command ? "A command" : fmt::format("`task: {}`", to_string(kind)),
                task_settings(kind));
    add_results(out, kind);
    if (kind != TaskKind::tune) continue;
    add_section(out, "`task: tune` with `run:`", command_search_settings());
    out += "\nLeaves what a search leaves, and the `outputs` of its best trial; the same metrics.\n";
  }
  return out;
}

}  // namespace kernmill
