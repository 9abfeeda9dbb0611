#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/workflow/expression/expression.hpp"
#include "kernmill/workflow/settings/settings_reader.hpp"
#include "kernmill/workflow/text/limits.hpp"
#include "kernmill/workflow/text/unicode.hpp"
#include "kernmill/workflow/value/units.hpp"

// How SettingsReader turns single values into their canonical form.

namespace kernmill {
namespace {

std::string bounds(const Range& range) {
  std::string low, high;
  if (std::isfinite(range.low)) low = fmt::format("{} {}", range.low_open ? "above" : "at least", range.low);
  if (std::isfinite(range.high))
    high = fmt::format("{} {}", range.high_open ? "below" : "at most", range.high);
  return low + (low.empty() || high.empty() ? "" : " and ") + high;
}

bool inside(const Range& range, double number) {
  return (range.low_open ? number > range.low : number >= range.low) &&
         (range.high_open ? number < range.high : number <= range.high);
}

/// 3 as well as 3.0 and 1e3.
std::optional<std::int64_t> whole_number(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value.data)) return *whole;
  const auto* real = std::get_if<double>(&value.data);
  if (real == nullptr || !(std::abs(*real) < 0x1p53) || *real != std::floor(*real)) return std::nullopt;
  return static_cast<std::int64_t>(*real);
}

std::optional<double> number(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value.data)) return static_cast<double>(*whole);
  const auto* real = std::get_if<double>(&value.data);
  return real == nullptr ? std::nullopt : std::optional(*real);
}

/// The one axis of the matrix that the names stand for; empty when they are several, or not known now.
std::string only_axis(const std::vector<NamePath>& names) {
  std::string axis;
  for (const NamePath& name : names) {
    if (name.size() != 2 || name[0] != "matrix" || (!axis.empty() && axis != name[1])) return "";
    axis = name[1];
  }
  return axis;
}

std::vector<Known> values_of(const Matrix& matrix, const std::string& axis) {
  constexpr std::size_t enough = 1000;  // to find a mistake; a longer axis is a generated one
  std::vector<Known> values;
  for (const auto& have : matrix.axes)
    for (std::size_t v = 0; have.name == axis && v < std::min(have.values.size(), enough); ++v)
      values.emplace_back(have.values[v], have.text(v));
  for (std::size_t i = 0; i < matrix.include.size() && values.size() < enough; ++i)
    if (matrix.include[i].contains(axis))
      values.emplace_back(matrix.include[i].at(axis), matrix.include_text(i).value(axis, ""));
  return values;
}

}  // namespace

std::optional<Json> SettingsReader::wrong_type(const Value& value, const std::string& name,
                                               std::string_view wanted) {
  if (value.is_null())
    diagnostics_->error(value.where, fmt::format("{} has no value", name),
                        fmt::format("it takes {}", wanted));
  else
    diagnostics_->error(value.where, fmt::format("{} takes {}, not {}", name, wanted, describe(value)));
  return std::nullopt;
}

std::optional<Json> SettingsReader::convert(const Setting& setting, const Value& value,
                                            const std::string& name) {
  using T = SettingType;
  if (value.is_template() && setting.type != T::variant && setting.type != T::table)
    return templated(setting, value, name);
  switch (setting.type) {
    case T::boolean:
      return boolean(value, name);
    case T::integer:
      return integer(setting, value, name);
    case T::number_or_auto:
      return value.text == "auto" ? std::optional(Json("auto")) : integer(setting, value, name);
    case T::period:
      return period(value, name, "a time such as 10m or 24h");
    case T::interval:
      if (value.text == "auto") return Json("auto");
      return whole_number(value) ? integer(setting, value, name)
                                 : period(value, name, "a number of steps, a time such as 10m, or auto");
    case T::real:
      return real(setting, value, name);
    case T::text:
      return text(setting, value, name);
    case T::text_list:
    case T::integer_list:
    case T::real_list:
      return list(setting, value, name);
    case T::text_map:
      return text_map(setting, value, name);
    case T::hints:
      return hints(value, name);
    case T::table:
      return table(setting, value, name);
    case T::table_map:
      return table_map(setting, value, name);
    case T::variant:
      return variant(setting, value, name);
    case T::time:
    case T::memory:
    case T::nodes:
    case T::gpus:
    case T::factor:
      return unit(setting, value, name);
    default:
      return to_json(value);
  }
}

std::optional<Json> SettingsReader::boolean(const Value& value, const std::string& name) {
  if (const auto* flag = std::get_if<bool>(&value.data)) return Json(*flag);
  const auto* word = std::get_if<std::string>(&value.data);
  if (word != nullptr && (*word == "yes" || *word == "no" || *word == "on" || *word == "off")) {
    diagnostics_->error(value.where, fmt::format("{} takes true or false, not '{}'", name, *word),
                        fmt::format("write {}", *word == "yes" || *word == "on"));
    return std::nullopt;
  }
  return wrong_type(value, name, "true or false");
}

bool SettingsReader::in_range(const Setting& setting, double number, const Value& value,
                              const std::string& name) {
  if (inside(setting.range, number)) return true;
  diagnostics_->error(value.where,
                      fmt::format("{} is {}; it has to be {}", name, value.text, bounds(setting.range)));
  return false;
}

std::optional<Json> SettingsReader::integer(const Setting& setting, const Value& value,
                                            const std::string& name) {
  const auto whole = whole_number(value);
  if (!whole)
    return wrong_type(
        value, name,
        setting.type == SettingType::number_or_auto ? "auto or a whole number" : "a whole number");
  if (!in_range(setting, static_cast<double>(*whole), value, name)) return std::nullopt;
  return Json(*whole);
}

std::optional<Json> SettingsReader::real(const Setting& setting, const Value& value,
                                         const std::string& name) {
  const auto& words = setting.choices;
  if (std::find(words.begin(), words.end(), value.text) != words.end()) return Json(value.text);
  const auto real = number(value);
  if (!real) return wrong_type(value, name, words.empty() ? "a number" : "a number, " + one_of(words));
  if (!std::isfinite(*real)) return wrong_type(value, name, "a finite number");
  if (!in_range(setting, *real, value, name)) return std::nullopt;
  return Json(*real);
}

std::optional<Json> SettingsReader::text(const Setting& setting, const Value& value,
                                         const std::string& name) {
  if (value.is_list() || value.is_map() || value.is_null())
    return wrong_type(value, name, setting.choices.empty() ? "a text" : one_of(setting.choices));
  const auto& choices = setting.choices;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), value.text) == choices.end()) {
    diagnostics_->error(value.where, fmt::format("{} takes {}, not '{}'", name, one_of(choices), value.text),
                        did_you_mean(value.text, choices));
    return std::nullopt;
  }
  if (setting.one_line && has_control_character(value.text)) {
    diagnostics_->error(value.where, fmt::format("{} has a control character in it", name),
                        "it becomes part of a line that others read: a line's end or \\xNN may not be in it");
    return std::nullopt;
  }
  return Json(value.text);
}

std::optional<Json> SettingsReader::unit(const Setting& setting, const Value& value,
                                         const std::string& name) {
  const auto refuse = [&](std::string_view wanted) { return wrong_type(value, name, wanted); };
  const std::string& text = value.text;
  const bool scalar = value.is_string() || std::holds_alternative<std::int64_t>(value.data) ||
                      std::holds_alternative<double>(value.data);
  switch (setting.type) {
    case SettingType::time:
      if (!scalar || !parse_time(text)) return refuse("a time such as 90m, 2h or 1-02:00:00");
      break;
    case SettingType::memory:
      if (!scalar || !parse_memory(text)) return refuse("an amount of memory such as 512M or 16G");
      break;
    case SettingType::nodes:
      if (!scalar || !parse_node_range(text)) return refuse("a number of nodes or a range such as 2-8");
      break;
    case SettingType::gpus:
      if (!scalar || !is_gpu_request(text)) return refuse("a number of GPUs, or a type and a number: a100:2");
      break;
    default: {
      const auto factor = scalar ? parse_factor(text) : std::nullopt;
      if (!factor) return refuse("a factor of at least 1 such as x2 or x1.5");
      return Json(*factor);
    }
  }
  if (const auto* whole = std::get_if<std::int64_t>(&value.data); whole != nullptr && *whole >= 0)
    return Json(*whole);
  return Json(text);
}

std::optional<Json> SettingsReader::period(const Value& value, const std::string& name,
                                           std::string_view wanted) {
  const bool scalar = value.is_string() || std::holds_alternative<std::int64_t>(value.data);
  const auto time = scalar ? parse_time(value.text) : std::nullopt;
  if (!time || time->count() <= 0) return wrong_type(value, name, wanted);
  return Json(fmt::format("{}s", time->count()));
}

std::optional<Json> SettingsReader::list(const Setting& setting, const Value& value,
                                         const std::string& name) {
  Setting item = setting;
  item.type = setting.type == SettingType::text_list      ? SettingType::text
              : setting.type == SettingType::integer_list ? SettingType::integer
                                                          : SettingType::real;
  const auto* items = std::get_if<Value::List>(&value.data);
  const bool may_be_map = setting.table != nullptr;
  if (items == nullptr && ((value.is_map() && !may_be_map) || value.is_null()))
    return wrong_type(value, name, "a list");
  const auto one = [&](const Value& written, const std::string& called) {
    return written.is_map() && may_be_map ? table(setting, written, called) : convert(item, written, called);
  };
  Json result = Json::array();
  if (items == nullptr) {
    auto json = one(value, name);
    if (!json) return std::nullopt;
    result.push_back(std::move(*json));
    return result;
  }
  bool whole = true;
  for (std::size_t i = 0; i < items->size(); ++i) {
    auto json = one((*items)[i], fmt::format("item {} of {}", i + 1, name));
    whole = whole && json.has_value();
    if (json) result.push_back(std::move(*json));
  }
  return whole ? std::optional(result) : std::nullopt;
}

std::optional<Json> SettingsReader::text_map(const Setting& setting, const Value& value,
                                             const std::string& name) {
  const auto* map = std::get_if<Value::Map>(&value.data);
  if (map == nullptr) return wrong_type(value, name, "a map from names to values");
  Json result = Json::object();
  for (const auto& entry : *map) {
    const bool good = !entry.key.empty() && entry.key.find_first_of("= ") == std::string::npos &&
                      !has_control_character(entry.key) && !(entry.key[0] >= '0' && entry.key[0] <= '9');
    if (!good) {
      diagnostics_->error(entry.key_where, fmt::format("'{}' cannot be the name of a variable", entry.key),
                          "use letters, digits and _");
      continue;
    }
    if (entry.key.starts_with("KERNMILL_")) {
      diagnostics_->error(entry.key_where, fmt::format("'{}' would be overwritten", entry.key),
                          "Kernmill sets the variables that begin with KERNMILL_ itself; take another name");
      continue;
    }
    if (setting.table != nullptr && entry.value.is_map()) {
      if (auto source = env_source_of(setting, entry)) result[entry.key] = std::move(*source);
      continue;
    }
    static const Setting any{.name = "env", .type = SettingType::text, .doc = ""};
    constexpr std::size_t longest = 128 * 1024 - 2;  // what Linux takes of NAME=VALUE
    if (entry.key.size() + entry.value.text.size() > longest) {
      diagnostics_->error(entry.key_where, fmt::format("'{}' is too long for a variable", entry.key),
                          "a variable has room for 128 KiB; put it into a file, and name that");
      continue;
    }
    if (auto json = convert(any, entry.value, fmt::format("'{}'", entry.key)))
      result[entry.key] = std::move(*json);
  }
  return result;
}

/// `{from: env}` with the name filled in, or `{from: file, path: ...}`.
std::optional<Json> SettingsReader::env_source_of(const Setting& setting, const Value::Entry& entry) {
  const std::string name = fmt::format("'{}'", entry.key);
  auto source = table(setting, entry.value, name);
  if (!source || !source->contains("from")) return std::nullopt;
  const bool is_file = source->at("from") == "file";
  const auto refuse = [&](const std::string& why, const std::string& help) {
    diagnostics_->error(entry.value.where, name + why, help);
    return std::nullopt;
  };
  if (has_template(source->dump()))
    return refuse(" cannot take its source from results or a matrix", "name the variable or the file itself");
  if (is_file && source->value("path", "").empty())
    return refuse(" is to come from a file, and none is named", entry.key + ": {from: file, path: FILE}");
  if (source->contains(is_file ? "name" : "path"))
    return refuse(is_file ? " takes 'name' only with from: env" : " takes 'path' only with from: file",
                  entry.key + (is_file ? ": {from: file, path: FILE}" : ": {from: env, name: VARIABLE}"));
  if (!is_file && !source->contains("name")) (*source)["name"] = entry.key;
  return source;
}

std::optional<Json> SettingsReader::templated(const Setting& setting, const Value& value,
                                              const std::string& name) {
  const std::string& text = std::get<std::string>(value.data);
  std::vector<NamePath> names;
  try {
    names = names_in(text);
  } catch (const ExpressionError&) {
    return Json(text);  // reported when names were resolved
  }
  try {
    const std::string axis = only_axis(names);
    const auto values = axis.empty() || matrix_ == nullptr ? std::vector<Known>{} : values_of(*matrix_, axis);
    for (const Known& candidate : values) {
      if (axis_checks != nullptr && ++*axis_checks > limits::axis_checks) break;
      Diagnostics found;
      const Json json = evaluate(text, [&](const NamePath&) { return std::optional(candidate); });
      SettingsReader(found).convert(setting, value_from_json(json, value.where), name);
      if (found.all().empty()) continue;
      const Diagnostic& first = found.all().front();
      diagnostics_->error(
          value.where,
          fmt::format("with matrix.{} = {}, {}", axis,
                      candidate.text.empty() ? candidate.value.dump() : candidate.text, first.message),
          first.help);
      return std::nullopt;
    }
  } catch (const ExpressionError& error) {
    diagnostics_->error(value.where, error.message);
    return std::nullopt;
  }
  const bool is_written =
      std::any_of(names.begin(), names.end(), [](const auto& n) { return n[0] == "matrix"; });
  return Json(setting.type == SettingType::text && is_written ? as_text(text) : text);
}

}  // namespace kernmill
