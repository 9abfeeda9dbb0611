#include "kernmill/workflow/value/value.hpp"

#include <cctype>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace kernmill {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

/// Whether JSON can have the number in these very characters.
bool is_json_number(const std::string& text) {
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  return first < text.size() && std::isdigit(static_cast<unsigned char>(text[first])) != 0 &&
         Json::parse(text, nullptr, /*allow_exceptions=*/false).is_number();
}

bool is_number(const Value& value) {
  return std::holds_alternative<std::int64_t>(value.data) || std::holds_alternative<double>(value.data);
}

/// As a part of a list or map.
std::string inner_spelling(const Value& value) {
  std::vector<std::string> parts;
  if (const auto* list = std::get_if<Value::List>(&value.data)) {
    for (const Value& item : *list) parts.push_back(inner_spelling(item));
    return fmt::format("[{}]", fmt::join(parts, ","));
  }
  if (const auto* map = std::get_if<Value::Map>(&value.data)) {
    for (const auto& entry : *map)
      parts.push_back(Json(entry.key).dump() + ":" + inner_spelling(entry.value));
    return fmt::format("{{{}}}", fmt::join(parts, ","));
  }
  return is_number(value) && is_json_number(value.text) ? value.text : to_json(value).dump();
}

}  // namespace

bool has_template(std::string_view text) {
  return text.find("${{") != std::string_view::npos;
}

bool Value::is_template() const {
  const auto* string = std::get_if<std::string>(&data);
  return string != nullptr && has_template(*string);
}

const Value* Value::find(std::string_view key) const {
  const auto* map = std::get_if<Map>(&data);
  if (map == nullptr) return nullptr;
  for (const Entry& entry : *map)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

Json to_json(const Value& value) {
  return std::visit(
      Overloaded{[](std::monostate) { return Json(nullptr); },
                 [](const Value::List& list) {
                   Json json = Json::array();
                   json.get_ref<Json::array_t&>().reserve(list.size());
                   for (const Value& item : list) json.push_back(to_json(item));
                   return json;
                 },
                 [](const Value::Map& map) {
                   Json json = Json::object();  // whose operator[] looks through all keys
                   auto& object = json.get_ref<Json::object_t&>();
                   object.reserve(map.size());
                   for (const auto& entry : map) object.emplace_back(entry.key, to_json(entry.value));
                   return json;
                 },
                 [&](double number) { return std::isfinite(number) ? Json(number) : Json(value.text); },
                 [](const auto& scalar) { return Json(scalar); }},
      value.data);
}

std::string spelled(const Value& value) {
  if (value.is_null()) return "";
  return value.is_list() || value.is_map() ? inner_spelling(value) : value.text;
}

std::string own_spelling(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value.data))
    return value.text == std::to_string(*whole) ? "" : value.text;
  if (const auto* flag = std::get_if<bool>(&value.data))
    return Json(*flag).dump() == value.text ? "" : value.text;
  return is_number(value) ? value.text : "";
}

Value moved_to(Value value, const Where& where) {
  value.where = where;
  if (auto* list = std::get_if<Value::List>(&value.data))
    for (Value& item : *list) item = moved_to(std::move(item), where);
  if (auto* map = std::get_if<Value::Map>(&value.data))
    for (auto& entry : *map) entry = {std::move(entry.key), where, moved_to(std::move(entry.value), where)};
  return value;
}

namespace {

bool exceeds_int64(const Json& json) {  // plain_scalar has these as real numbers, too
  return json.is_number_unsigned() &&
         json.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
}

}  // namespace

Value value_from_json(const Json& json, const Where& where) {
  Value value;
  value.where = where;
  if (json.is_boolean()) {
    value.data = json.get<bool>();
  } else if (json.is_number_integer() && !exceeds_int64(json)) {
    value.data = json.get<std::int64_t>();
  } else if (json.is_number()) {
    value.data = json.get<double>();
  } else if (json.is_string()) {
    value.data = json.get<std::string>();
  } else if (json.is_array()) {
    Value::List list;
    for (const Json& item : json) list.push_back(value_from_json(item, where));
    value.data = std::move(list);
  } else if (json.is_object()) {
    Value::Map map;
    for (const auto& [key, item] : json.items()) map.push_back({key, where, value_from_json(item, where)});
    value.data = std::move(map);
  }
  if (json.is_primitive() && !json.is_null())
    value.text = json.is_string() ? json.get<std::string>() : json.dump();
  return value;
}

std::string describe(const Value& value) {
  const auto quoted = [&](const char* what) { return fmt::format("{} {}", what, value.text); };
  return std::visit(Overloaded{[](std::monostate) { return std::string("nothing"); },
                               [](const Value::List&) { return std::string("a list"); },
                               [](const Value::Map&) { return std::string("a map"); },
                               [&](bool) { return quoted("the boolean"); },
                               [&](const std::string& text) { return fmt::format("the text '{}'", text); },
                               [&](const auto&) { return quoted("the number"); }},
                    value.data);
}

}  // namespace kernmill
