#include <algorithm>
#include <cctype>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/workflow/command_stage.hpp"
#include "kernmill/workflow/parse/task_config.hpp"

namespace kernmill {
namespace {

const std::vector<std::string> domain_kinds{"choice", "uniform", "log_uniform", "int_uniform"};

bool is_point_name(std::string_view word) {
  const auto part = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; };
  return !word.empty() && std::isalpha(static_cast<unsigned char>(word[0])) &&
         std::all_of(word.begin(), word.end(), part);
}

/// The settings that stand in the map at `part` of a train config.
const Table* table_of(const Setting& setting, const Json& part) {
  if (setting.type == SettingType::table) return setting.table;
  if (setting.type != SettingType::variant) return nullptr;
  const auto* alternative = setting.variant->find(part.is_object() ? part.value("type", "") : "");
  return alternative == nullptr ? nullptr : &alternative->table;
}

class SpaceReader {
 public:
  /// `train`: whose settings it varies; null: the variables of a command.
  SpaceReader(const Json* train, bool grid, Diagnostics& diagnostics)
      : train_(train), grid_(grid), diagnostics_(diagnostics) {}

  Json read(const Value& value) {
    Json space = Json::object();
    const auto* map = std::get_if<Value::Map>(&value.data);
    if (map == nullptr || map->empty()) {
      diagnostics_.error(
          value.where, "'space' takes a map from names to what they may be",
          fmt::format("space: {{{}: {{log_uniform: [1e-3, 1e3]}}}}", train_ == nullptr ? "lr" : "model.C"));
      return space;
    }
    for (const auto& entry : *map)
      if (const Setting* setting = train_ == nullptr ? variable(entry) : find(entry))
        if (auto domain = read_domain(entry, *setting)) space[entry.key] = std::move(*domain);
    return space;
  }

 private:
  /// What a command gets by that name may be anything; a range is one of numbers.
  const Setting* variable(const Value::Entry& entry) {
    static const Setting number{.name = "", .type = SettingType::real, .doc = ""};
    if (!is_point_name(entry.key))
      return refuse(entry.key_where, fmt::format("'{}' cannot be a name in a space", entry.key),
                    "a name begins with a letter; letters, digits, _ and - may follow");
    const auto [other, is_new] = variables_.emplace(point_variable(entry.key), entry.key);
    if (is_new) return &number;
    return refuse(entry.key_where,
                  fmt::format("'{}' and '{}' share one variable, {}", other->second, entry.key, other->first),
                  "capitals and signs make no difference there; give one of them another name");
  }

  const Setting* find(const Value::Entry& entry) {
    const Table* table = &trial_settings();
    const Json* part = train_;
    const Setting* setting = nullptr;
    for (std::string_view rest = entry.key; !rest.empty();) {
      const std::string word(rest.substr(0, rest.find('.')));
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
      if (word == "type" && setting != nullptr && setting->type == SettingType::variant)
        return refuse(entry.key_where, fmt::format("'{}' cannot vary within a space", entry.key),
                      "give each type a tune stage of its own");
      if (table == nullptr && setting != nullptr && setting->type == SettingType::variant)
        return nullptr;  // its type is wrong: reported
      setting = table == nullptr ? nullptr : table->find(word);
      if (setting == nullptr) return unknown(entry, word, table);
      static const Json nothing;
      part = part->is_object() && part->contains(setting->name) ? &part->at(setting->name) : &nothing;
      table = table_of(*setting, *part);
    }
    if (setting == nullptr || setting->type == SettingType::table || setting->type == SettingType::variant)
      return refuse(entry.key_where, fmt::format("'{}' is no single setting", entry.key),
                    table == nullptr ? ""
                                     : fmt::format("name one of its settings: {}.{}", entry.key,
                                                   one_of(keys_of({table}))));
    return setting;
  }

  const Setting* unknown(const Value::Entry& entry, const std::string& word, const Table* table) {
    const std::string before = entry.key.substr(0, entry.key.rfind('.') + 1);
    std::string help = table == nullptr ? "" : did_you_mean(word, keys_of({table}), "'" + before + "{}'");
    if (help.empty() && table != nullptr && !table->settings.empty())
      help = fmt::format("{} has {}", table->name, fmt::join(keys_of({table}), ", "));
    return refuse(entry.key_where, fmt::format("'{}' is no setting of 'train'", entry.key), help);
  }

  std::optional<Json> read_domain(const Value::Entry& entry, const Setting& setting) {
    const Value& value = entry.value;
    if (value.is_list()) return choice(setting, value, entry.key);
    const auto* map = std::get_if<Value::Map>(&value.data);
    if (map == nullptr)
      return give_up(value.where, fmt::format("'{}' takes a list of choices, or a range", entry.key),
                     fmt::format("write [{}], or {{uniform: [low, high]}}", value.text));
    std::string kind;
    for (const auto& part : *map) {
      if (part.key == "points") continue;
      if (std::find(domain_kinds.begin(), domain_kinds.end(), part.key) == domain_kinds.end()) {
        const std::string help = did_you_mean(part.key, domain_kinds);
        return give_up(part.key_where, fmt::format("unknown kind of range '{}'", part.key),
                       help.empty() ? "it is " + one_of(domain_kinds) : help);
      }
      if (!kind.empty())
        return give_up(part.key_where, fmt::format("'{}' has a '{}' already", entry.key, kind),
                       "keep one of them");
      kind = part.key;
    }
    if (kind.empty())
      return give_up(value.where, fmt::format("'{}' does not say what it may be", entry.key),
                     "it is " + one_of(domain_kinds));
    if (kind == "choice") return choice(setting, *value.find(kind), entry.key);
    return interval(setting, value, kind, entry);
  }

  std::optional<Json> choice(const Setting& setting, const Value& value, const std::string& key) {
    const auto* list = std::get_if<Value::List>(&value.data);
    if (list == nullptr || list->empty())
      return give_up(value.where, fmt::format("'{}' needs a list of choices", key), "");
    if (train_ == nullptr) return free_choice(*list, key);
    SettingsReader reader(diagnostics_);
    Json values = Json::array();
    for (const Value& item : *list)
      if (auto json = reader.convert(setting, item, fmt::format("'{}'", key)))
        values.push_back(std::move(*json));
    if (values.size() < list->size()) return std::nullopt;
    return Json{{"type", "choice"}, {"values", std::move(values)}};
  }

  /// As they were written, for names and variables: 3.10 stays that.
  std::optional<Json> free_choice(const Value::List& list, const std::string& key) {
    Json values = Json::array(), texts = Json::array();
    bool has_texts = false;
    for (const Value& item : list) {
      if (item.is_list() || item.is_map() || item.is_null())
        return give_up(item.where, fmt::format("a choice of '{}' is {}", key, describe(item)),
                       "it takes numbers, texts, true and false");
      if (item.is_template()) return std::nullopt;  // reported where its name is unknown
      values.push_back(to_json(item));
      texts.push_back(own_spelling(item));
      has_texts = has_texts || !texts.back().get_ref<const std::string&>().empty();
    }
    Json domain{{"type", "choice"}, {"values", std::move(values)}};
    if (has_texts) domain["texts"] = std::move(texts);
    return domain;
  }

  std::optional<Json> interval(const Setting& setting, const Value& value, const std::string& kind,
                               const Value::Entry& entry) {
    const Value& ends = *value.find(kind);
    const auto* list = std::get_if<Value::List>(&ends.data);
    const bool whole = kind == "int_uniform";
    if (list == nullptr || list->size() != 2)
      return give_up(ends.where, fmt::format("'{}' takes [low, high]", kind), "");
    if (setting.type != SettingType::real && setting.type != SettingType::integer)
      return give_up(entry.key_where, fmt::format("'{}' is no number; give it a list of choices", entry.key),
                     "");
    if (setting.type == SettingType::integer && !whole)
      return give_up(value.where, fmt::format("'{}' is a whole number", entry.key),
                     "use int_uniform, or a list of choices");
    Setting end = setting;
    if (whole) end.type = SettingType::integer;
    SettingsReader reader(diagnostics_);
    const auto low = reader.convert(end, (*list)[0], fmt::format("the low end of '{}'", entry.key));
    const auto high = reader.convert(end, (*list)[1], fmt::format("the high end of '{}'", entry.key));
    if (!low || !high) return std::nullopt;
    if (low->is_string() || high->is_string())
      return give_up(ends.where, "the ends of a range have to be known here", "");
    if (*low >= *high)
      return give_up(ends.where, fmt::format("the low end of '{}' is not below its high end", entry.key),
                     "write [low, high]");
    if (kind == "log_uniform" && low->get<double>() <= 0)
      return give_up((*list)[0].where, "the low end of log_uniform has to be above 0", "");
    return with_points({{"type", kind}, {"low", *low}, {"high", *high}}, value, entry);
  }

  std::optional<Json> with_points(Json domain, const Value& value, const Value::Entry& entry) {
    const Value* points = value.find("points");
    if (points == nullptr) {
      if (grid_ && domain["type"] != "int_uniform")
        return give_up(value.where, fmt::format("a grid over the range of '{}' needs 'points'", entry.key),
                       fmt::format("{}: {{{}: [...], points: 7}}, or strategy: {{type: random, trials: 20}}",
                                   entry.key, domain["type"].get<std::string>()));
      return domain;
    }
    static const Setting setting{
        .name = "points", .type = SettingType::integer, .doc = "", .range = {.low = 1, .high = 1e6}};
    auto count = SettingsReader(diagnostics_).convert(setting, *points);
    if (!count || count->is_string()) return std::nullopt;
    domain["points"] = *count;
    return domain;
  }

  std::nullopt_t give_up(const Where& where, std::string message, std::string help) {
    diagnostics_.error(where, std::move(message), std::move(help));
    return std::nullopt;
  }
  const Setting* refuse(const Where& where, std::string message, std::string help) {
    diagnostics_.error(where, std::move(message), std::move(help));
    return nullptr;
  }

  const Json* train_;
  bool grid_;
  Diagnostics& diagnostics_;
  std::map<std::string, std::string> variables_;
};

}  // namespace

Json read_space(const Value& value, const Json& train, bool grid, Diagnostics& diagnostics) {
  return SpaceReader(&train, grid, diagnostics).read(value);
}

Json read_command_space(const Value& value, bool grid, Diagnostics& diagnostics) {
  return SpaceReader(nullptr, grid, diagnostics).read(value);
}

}  // namespace kernmill
