#include "kernmill/workflow/settings/settings_reader.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/workflow/expression/expression.hpp"

namespace kernmill {
namespace {

/// Settings that other parts of the parser read: they are no values of the config.
bool read_elsewhere(SettingType type) {
  using T = SettingType;
  return type == T::reference || type == T::references || type == T::expression || type == T::params ||
         type == T::matrix || type == T::space || type == T::stages;
}

const Setting* find_in(const std::vector<const Table*>& tables, std::string_view key) {
  for (const Table* table : tables)
    if (const Setting* setting = table->find(key)) return setting;
  return nullptr;
}

/// Whether an expression was left as it stands because something in it was reported.
bool has_reported_name(const Value& value) {
  try {
    const auto names = names_in(std::get<std::string>(value.data));
    const auto known = [](const NamePath& name) { return name[0] == "matrix" || name[0] == "stages"; };
    return !std::all_of(names.begin(), names.end(), known);
  } catch (const ExpressionError&) {
    return true;
  }
}

}  // namespace

std::string one_of(const std::vector<std::string>& words) {
  if (words.empty()) return "";
  if (words.size() == 1) return words[0];
  const std::vector<std::string> front(words.begin(), words.end() - 1);
  return fmt::format("{} or {}", fmt::join(front, ", "), words.back());
}

std::vector<std::string> keys_of(const std::vector<const Table*>& tables) {
  std::vector<std::string> keys;
  for (const Table* table : tables)
    for (const Setting& setting : table->settings) {
      keys.push_back(setting.name);
      keys.insert(keys.end(), setting.aliases.begin(), setting.aliases.end());
    }
  return keys;
}

const Field* Fields::find(std::string_view name) const {
  for (const Field& field : known)
    if (field.setting->name == name) return &field;
  return nullptr;
}

Fields SettingsReader::collect(const Value& map, const std::vector<const Table*>& tables,
                               const std::string& owner, const UnknownKeyHelp& help) {
  Fields fields;
  const auto* entries = std::get_if<Value::Map>(&map.data);
  if (entries == nullptr) return fields;
  for (const Value::Entry& entry : *entries) {
    const Setting* setting = find_in(tables, entry.key);
    if (setting == nullptr) {
      fields.unknown.push_back(entry.key);
      const auto keys = keys_of(tables);
      std::string hint = did_you_mean(entry.key, keys);
      if (hint.empty() && help) hint = help(entry.key);
      if (hint.empty() && !keys.empty() && keys.size() <= 12)
        hint = "its keys are " + fmt::format("{}", fmt::join(keys, ", "));
      diagnostics_->error(entry.key_where, fmt::format("unknown key '{}' of {}", entry.key, owner), hint);
      continue;
    }
    const Field* earlier = fields.find(setting->name);
    if (earlier == nullptr) {
      fields.known.push_back({setting, &entry.value, entry.key_where, entry.key});
    } else if (to_json(*earlier->value) != to_json(entry.value)) {
      diagnostics_->error(entry.key_where,
                          fmt::format("'{}' is given twice with different values", setting->name),
                          fmt::format("'{}' on line {} means the same; keep one of them", earlier->key,
                                      earlier->key_where.line));
    }
  }
  return fields;
}

void SettingsReader::fall_back(const Setting& setting, const Fields& fields, const Table& table,
                               const Where& owner, Json& result) {
  if (setting.required && fill_in_defaults) {
    for (const std::string& key : fields.unknown)
      if (nearest(key, {setting.name}) == setting.name) return;  // reported as a slip of that key
    diagnostics_->error(owner, fmt::format("{} needs '{}'", table.name, setting.name),
                        fmt::format("{}: {}", setting.name, setting.doc));
    return;
  }
  if (!setting.fallback || !fill_in_defaults) return;
  const bool nested = setting.type == SettingType::table || setting.type == SettingType::variant;
  if (!nested || setting.fallback->is_null()) {
    if (!setting.transient) result[setting.name] = *setting.fallback;
    return;
  }
  Value empty;
  empty.where = owner;
  empty.data = Value::Map{};
  if (auto json = convert(setting, empty)) result[setting.name] = std::move(*json);
}

Json SettingsReader::read(const Table& table, const Fields& fields, const Where& owner) {
  Json result = Json::object();
  for (const Setting& setting : table.settings) {
    const Field* field = fields.find(setting.name);
    const bool given = field != nullptr && !(field->value->is_null() && setting.fallback == Json(nullptr));
    if (!given) {
      fall_back(setting, fields, table, owner, result);
    } else if (!read_elsewhere(setting.type)) {
      auto json = convert(setting, *field->value);
      if (json && !setting.transient) result[setting.name] = std::move(*json);
    }
  }
  return result;
}

std::optional<Json> SettingsReader::table(const Setting& setting, const Value& value,
                                          const std::string& name) {
  const Table& inner = *setting.table;
  const Setting* shorthand = inner.shorthand.empty() ? nullptr : inner.find(inner.shorthand);
  Value::Map map{{inner.shorthand, value.where, value}};
  Value spelled_out{std::move(map), value.where, ""};
  if (!value.is_map() && (shorthand == nullptr || value.is_list())) {
    if (value.is_template() && has_reported_name(value)) return std::nullopt;
    return wrong_type(value, name, "a map of settings");
  }
  // Whoever gave a plain value does not know what it stands for.
  if (!value.is_map() && !value.is_template() && !convert(*shorthand, value, name)) return std::nullopt;
  const Value& whole = value.is_map() ? value : spelled_out;
  return read(inner, collect(whole, {&inner}, inner.name), value.where);
}

std::optional<Json> SettingsReader::table_map(const Setting& setting, const Value& value,
                                              const std::string& name) {
  const auto* map = std::get_if<Value::Map>(&value.data);
  if (map == nullptr) return wrong_type(value, name, "a map from names to settings");
  Json result = Json::object();
  for (const auto& entry : *map)
    if (auto json = table(setting, entry.value, fmt::format("{} of '{}'", name, entry.key)))
      result[entry.key] = std::move(*json);
  return result;
}

const Variant::Alternative* SettingsReader::alternative(const Setting& setting, const Value& value,
                                                        bool& type_given) {
  const Variant& variant = *setting.variant;
  std::vector<std::string> types;
  for (const auto& alternative : variant.alternatives) types.push_back(alternative.type);
  const Value* type = value.is_map() ? value.find("type") : &value;
  type_given = type != nullptr;
  if (type != nullptr) {
    if (type->is_template()) {
      diagnostics_->error(type->where, fmt::format("the type of {} has to be known here", variant.name),
                          "write it out, or use params");
      return nullptr;
    }
    const auto* word = std::get_if<std::string>(&type->data);
    const auto* found = word == nullptr ? nullptr : variant.find(*word);
    if (found == nullptr)
      diagnostics_->error(type->where,
                          fmt::format("{} has no type {}", variant.name,
                                      word == nullptr ? describe(*type) : "'" + *word + "'"),
                          word != nullptr && !nearest(*word, types).empty() ? did_you_mean(*word, types)
                                                                            : "it is " + one_of(types));
    return found;
  }
  for (const auto& alternative : variant.alternatives)
    for (const std::string& marker : alternative.markers)
      if (value.find(marker) != nullptr) return &alternative;
  const auto fallback = default_types.find(setting.name);
  const auto* found = variant.find(fallback == default_types.end() ? variant.default_type : fallback->second);
  if (found == nullptr)
    diagnostics_->error(value.where, fmt::format("{} needs a 'type'", variant.name),
                        "it is " + one_of(types));
  return found;
}

std::optional<Json> SettingsReader::variant(const Setting& setting, const Value& value,
                                            const std::string& name) {
  if (!value.is_map() && !value.is_string()) return wrong_type(value, name, "a map with a `type`");
  bool type_given = false;
  const auto* chosen = alternative(setting, value, type_given);
  if (chosen == nullptr) return std::nullopt;
  static const Setting type{.name = "type", .type = SettingType::text, .doc = "which kind"};
  static const Table type_table{"", {type}};
  const Fields fields = collect(value, {&type_table, &chosen->table}, chosen->table.name);
  Json result = Json::object();
  if (type_given || fill_in_defaults) result["type"] = chosen->type;
  result.update(read(chosen->table, fields, value.where));
  return result;
}

}  // namespace kernmill
