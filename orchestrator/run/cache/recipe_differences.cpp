#include <set>

#include <fmt/format.h>

#include "kernmill/run/cache/recipe.hpp"

namespace kernmill {
namespace {

bool same(const Json& a, const Json& b) {
  return canonical_json(a) == canonical_json(b);
}

std::string shortened(const Json& value) {
  constexpr std::size_t most = 40;
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() <= most ? text : text.substr(0, most - 3) + "...";
}

const Json& member(const Json& object, std::string_view key) {
  static const Json none = Json::object();
  const auto found = object.find(key);
  return found == object.end() ? none : *found;
}

std::string in_words(const std::string& what, const Json* before, const Json* now) {
  if (before == nullptr) return fmt::format("{} is new ({})", what, shortened(*now));
  if (now == nullptr) return fmt::format("{} is gone (was {})", what, shortened(*before));
  return fmt::format("{} changed ({} -> {})", what, shortened(*before), shortened(*now));
}

/// Goes down into objects, so that the setting itself is named and not the block that it stands in.
void compare(const std::string& noun, const std::string& prefix, const Json& before, const Json& now,
             std::vector<std::string>& found) {
  const auto one = [&](const std::string& key, const Json* old_value, const Json* new_value) {
    const bool blocks =
        old_value != nullptr && new_value != nullptr && old_value->is_object() && new_value->is_object();
    if (blocks)
      compare(noun, prefix + key + ".", *old_value, *new_value, found);
    else if (old_value == nullptr || new_value == nullptr || !same(*old_value, *new_value))
      found.push_back(in_words(noun + " " + prefix + key, old_value, new_value));
  };
  for (const auto& [key, value] : now.items())
    one(key, before.contains(key) ? &before[key] : nullptr, &value);
  for (const auto& [key, value] : before.items())
    if (!now.contains(key)) one(key, &value, nullptr);
}

std::string name_of(const Recipe& recipe, const std::string& key) {
  const auto name = recipe.input_names.find(key);
  return name == recipe.input_names.end() ? key : name->second;
}

void compare_inputs(const Recipe& before, const Recipe& now, std::vector<std::string>& found) {
  const Json& old_inputs = member(before.body, "inputs");
  const Json& new_inputs = member(now.body, "inputs");
  for (const auto& [key, digest] : new_inputs.items()) {
    const std::string name = name_of(now, key);
    if (!old_inputs.contains(key))
      found.push_back(fmt::format("input {} is new", name));
    else if (old_inputs[key] == digest)
      continue;
    else if (name_of(before, key) == name)
      found.push_back(fmt::format("input {} changed", name));
    else
      found.push_back(fmt::format("input {} took the place of {}", name, name_of(before, key)));
  }
  for (const auto& [key, digest] : old_inputs.items())
    if (!new_inputs.contains(key)) found.push_back(fmt::format("input {} is gone", name_of(before, key)));
}

/// By name alone. Recipes of earlier versions hold the values themselves.
void compare_variables(const Recipe& before, const Recipe& now, std::vector<std::string>& found) {
  const Json& old_values = member(before.body, "env");
  const Json& new_values = member(now.body, "env");
  for (const auto& [name, value] : new_values.items()) {
    const auto old = old_values.find(name);
    if (old == old_values.end())
      found.push_back(fmt::format("variable {} is new", name));
    else if (!same(*old, value) && hidden_value(name, *old) != value)
      found.push_back(fmt::format("variable {} changed", name));
  }
  for (const auto& [name, value] : old_values.items())
    if (!new_values.contains(name)) found.push_back(fmt::format("variable {} is gone", name));
}

/// What the stages that it waits for have left.
void compare_needs(const Recipe& before, const Recipe& now, std::vector<std::string>& found) {
  const Json& old_needs = member(before.body, "needs");
  const Json& new_needs = member(now.body, "needs");
  for (const auto& [stage, digest] : new_needs.items())
    if (!old_needs.contains(stage))
      found.push_back(fmt::format("what {} leaves counts now, and did not then", stage));
    else if (old_needs[stage] != digest)
      found.push_back(fmt::format("what {} leaves changed", stage));
  for (const auto& [stage, digest] : old_needs.items())
    if (!new_needs.contains(stage)) found.push_back(fmt::format("it does not depend on {} any more", stage));
}

/// Values of a member that is compared as a whole.
void compare_whole(const Recipe& before, const Recipe& now, const std::string& key,
                   std::vector<std::string>& found) {
  if (!same(member(before.body, key), member(now.body, key))) found.push_back(key + " changed");
}

}  // namespace

std::vector<std::string> differences(const Recipe& before, const Recipe& now) {
  std::vector<std::string> found;
  if (!same(member(before.body, "kind"), member(now.body, "kind")))
    found.emplace_back("kind of task changed");
  compare_inputs(before, now, found);
  compare_needs(before, now, found);
  compare("setting", "", member(before.body, "config"), member(now.body, "config"), found);
  compare_variables(before, now, found);
  compare("value", "matrix.", member(before.body, "matrix"), member(now.body, "matrix"), found);
  for (const char* key : {"modules", "setup", "container", "python"}) compare_whole(before, now, key, found);
  if (!same(member(before.body, "code"), member(now.body, "code")))
    found.emplace_back("the code of the snapshot changed");
  if (!same(member(before.body, "program"), member(now.body, "program")))
    found.push_back(fmt::format("program {} changed",
                                member(now.body, "kind") == "reduce" ? "kernmill-exec" : "kernmill-task"));
  return found;
}

}  // namespace kernmill
