#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "kernmill/workflow/text/source.hpp"

namespace kernmill {

/// JSON whose objects keep the order in which the user wrote them.
using Json = nlohmann::ordered_json;

/// A value of a workflow with its place. Scalars have their type already (YAML 1.2 core rules, parsed by us).
/// A string that still holds `${{ }}` over `matrix.*` or `stages.*` stays a string; `is_template` says so.
struct Value {
  using List = std::vector<Value>;
  struct Entry;
  using Map = std::vector<Entry>;

  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map> data;
  Where where;
  std::string text;  ///< a scalar as it was written: `1.10` is the number 1.1, and text where text is wanted

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(data); }
  [[nodiscard]] bool is_string() const { return std::holds_alternative<std::string>(data); }
  [[nodiscard]] bool is_list() const { return std::holds_alternative<List>(data); }
  [[nodiscard]] bool is_map() const { return std::holds_alternative<Map>(data); }
  [[nodiscard]] bool is_template() const;
  /// The entry's value, or null when this is no map or has no such key.
  [[nodiscard]] const Value* find(std::string_view key) const;
};

struct Value::Entry {
  std::string key;
  Where key_where;
  Value value;
};

/// Whether `text` still holds a `${{`.
bool has_template(std::string_view text);

/// Places are lost; order is kept. A number that JSON has no form for (.inf, 1e400) becomes its text.
Json to_json(const Value& value);

/// The text to put where a value is pasted: a scalar as it was written, of a list or map its JSON with
/// numbers as they were written.
std::string spelled(const Value& value);

/// The text that a real was written in, and a whole number or boolean where JSON would spell it otherwise;
/// empty for anything else.
std::string own_spelling(const Value& value);

/// The value with every part of it at `where`.
Value moved_to(Value value, const Where& where);

/// The value of `json`, every part of it at `where`.
Value value_from_json(const Json& json, const Where& where);

/// "a number", "a list", ...: what the value is, for messages.
std::string describe(const Value& value);

}  // namespace kernmill
