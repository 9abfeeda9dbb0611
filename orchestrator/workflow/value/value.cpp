#include "kernmill/workflow/value/value.hpp"

#include <fmt/format.h>

namespace kernmill {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

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
  return std::visit(Overloaded{[](std::monostate) { return Json(nullptr); },
                               [](const Value::List& list) {
                                 Json json = Json::array();
                                 for (const Value& item : list) json.push_back(to_json(item));
                                 return json;
                               },
                               [](const Value::Map& map) {
                                 Json json = Json::object();
                                 for (const auto& entry : map) json[entry.key] = to_json(entry.value);
                                 return json;
                               },
                               [](const auto& scalar) { return Json(scalar); }},
                    value.data);
}

Value value_from_json(const Json& json, const Where& where) {
  Value value;
  value.where = where;
  if (json.is_boolean()) {
    value.data = json.get<bool>();
  } else if (json.is_number_integer()) {
    value.data = json.get<std::int64_t>();
  } else if (json.is_number_float()) {
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
