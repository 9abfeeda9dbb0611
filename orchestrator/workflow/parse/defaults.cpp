#include "kernmill/workflow/parse/defaults.hpp"

#include <fmt/format.h>

#include "kernmill/workflow/parse/secrets.hpp"
#include "kernmill/workflow/value/units.hpp"

namespace kernmill {
namespace {

std::optional<Json> converted(SettingsReader& reader, const Fields& fields, std::string_view name) {
  const Field* field = fields.find(name);
  return field == nullptr ? std::nullopt : reader.convert(*field->setting, *field->value);
}

/// The keys under `resources:` and those that stand beside it.
Fields resource_fields(SettingsReader& reader, const Fields& fields, Diagnostics& diagnostics) {
  const Table& table = resource_settings();
  Fields all;
  if (const Field* field = fields.find("resources")) {
    if (field->value->is_map())
      all = reader.collect(*field->value, {&table}, table.name);
    else
      diagnostics.error(field->value->where, "'resources' takes a map, not " + describe(*field->value));
  }
  for (const Field& field : fields.known) {
    if (field.setting != table.find(field.setting->name)) continue;
    const Field* inner = all.find(field.setting->name);
    if (inner == nullptr)
      all.known.push_back(field);
    else if (to_json(*inner->value) != to_json(*field.value))
      diagnostics.error(field.key_where,
                        fmt::format("'{}' is given twice with different values", field.setting->name),
                        fmt::format("'resources' has it on line {}", inner->key_where.line));
  }
  return all;
}

void read_resources(SettingsReader& reader, const Fields& fields, Diagnostics& diagnostics,
                    CommonSettings& common) {
  const Fields resources = resource_fields(reader, fields, diagnostics);
  const Field* mem = resources.find("mem");
  const Field* mem_per_cpu = resources.find("mem_per_cpu");
  if (mem != nullptr && mem_per_cpu != nullptr)
    diagnostics.error(mem_per_cpu->key_where, "'mem' and 'mem_per_cpu' exclude each other",
                      "'mem' is the memory of a node, 'mem_per_cpu' that of each core");
  common.resources = reader.read(resource_settings(), resources, {});
  for (const Field& field : resources.known)
    if (common.resources.contains(field.setting->name))
      common.resource_where[field.setting->name] = field.value->where;
}

constexpr std::chrono::seconds least_sensible_stall{60};

void read_stall(SettingsReader& reader, const Fields& fields, Diagnostics& diagnostics,
                CommonSettings& common) {
  const auto json = converted(reader, fields, "stall");
  if (!json) return;
  const auto time = parse_time(json->is_string() ? json->get<std::string>() : json->dump());
  if (!time) return;
  common.stall = *time;
  const std::string help =
      "a healthy program may wait that long for a file system or for others; 10m is a good beginning";
  if (time->count() > 0 && *time < least_sensible_stall)
    diagnostics.warning(fields.find("stall")->value->where,
                        fmt::format("'stall' is only {}", spell_time(*time)), help);
}

void merge(Json& weaker, const Json& stronger) {
  for (const auto& [key, value] : stronger.items()) weaker[key] = value;
}

}  // namespace

CommonSettings read_common(SettingsReader& reader, const Fields& fields, Diagnostics& diagnostics) {
  CommonSettings common;
  read_resources(reader, fields, diagnostics, common);
  if (auto env = converted(reader, fields, "env")) {
    common.env = std::move(*env);
    warn_of_secrets(*fields.find("env")->value, diagnostics);
  }
  if (auto retries = converted(reader, fields, "retries"); retries && retries->is_object())
    common.retries = std::move(*retries);
  read_stall(reader, fields, diagnostics, common);
  if (auto bad_nodes = converted(reader, fields, "bad_nodes"); bad_nodes && bad_nodes->is_object())
    common.bad_nodes = std::move(*bad_nodes);
  if (auto storage = converted(reader, fields, "storage"); storage && storage->is_object())
    common.storage = std::move(*storage);
  if (auto modules = converted(reader, fields, "modules"); modules && modules->is_array())
    common.modules = modules->get<std::vector<std::string>>();
  if (auto setup = converted(reader, fields, "setup"); setup && setup->is_array())
    common.setup = setup->get<std::vector<std::string>>();
  if (auto container = converted(reader, fields, "container"))
    common.container = container->get<std::string>();
  if (auto python = converted(reader, fields, "python")) common.python = python->get<std::string>();
  if (auto pass_env = converted(reader, fields, "pass_env"); pass_env && pass_env->is_array())
    common.pass_env = pass_env->get<std::vector<std::string>>();
  if (auto signal = converted(reader, fields, "signal"); signal && signal->is_string())
    common.signal = read_stop_signal(*fields.find("signal")->value, diagnostics);
  return common;
}

Json storage_over(Json weaker, const Json& stronger) {
  if (stronger.contains("transport")) weaker["transport"] = stronger["transport"];
  if (stronger.contains("hints"))
    for (const auto& [name, value] : stronger["hints"].items()) weaker["hints"][name] = value;
  return weaker;
}

CommonSettings lay_over(CommonSettings weaker, const CommonSettings& stronger) {
  if (stronger.resources.contains("mem")) weaker.resources.erase("mem_per_cpu");
  if (stronger.resources.contains("mem_per_cpu")) weaker.resources.erase("mem");
  merge(weaker.resources, stronger.resources);
  for (const auto& [key, where] : stronger.resource_where) weaker.resource_where[key] = where;
  std::erase_if(weaker.resource_where,
                [&](const auto& place) { return !weaker.resources.contains(place.first); });
  merge(weaker.env, stronger.env);
  merge(weaker.retries, stronger.retries);
  merge(weaker.bad_nodes, stronger.bad_nodes);
  weaker.storage = storage_over(std::move(weaker.storage), stronger.storage);
  if (stronger.stall) weaker.stall = stronger.stall;
  if (stronger.modules) weaker.modules = stronger.modules;
  if (stronger.setup) weaker.setup = stronger.setup;
  if (stronger.container) weaker.container = stronger.container;
  if (stronger.python) weaker.python = stronger.python;
  if (stronger.pass_env) weaker.pass_env = stronger.pass_env;
  if (stronger.signal) weaker.signal = stronger.signal;
  return weaker;
}

}  // namespace kernmill
