#include "kernmill/workflow/parse/overrides.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/workflow/parse/resource_rules.hpp"
#include "kernmill/workflow/settings/settings_reader.hpp"
#include "kernmill/workflow/yaml/yaml_reader.hpp"

namespace kernmill {
namespace {

using Path = std::vector<std::string>;

Path parts_of(std::string_view dotted) {
  Path parts;
  for (std::size_t at = 0; at <= dotted.size();) {
    const std::size_t end = std::min(dotted.find('.', at), dotted.size());
    parts.emplace_back(dotted.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::string joined(const Path& path, std::size_t from, std::size_t to) {
  return fmt::format("{}", fmt::join(path.begin() + static_cast<std::ptrdiff_t>(from),
                                     path.begin() + static_cast<std::ptrdiff_t>(to), "."));
}

Value::Entry* entry_in(Value& value, std::string_view key) {
  auto* map = std::get_if<Value::Map>(&value.data);
  if (map == nullptr) return nullptr;
  const auto found =
      std::find_if(map->begin(), map->end(), [&](const Value::Entry& entry) { return entry.key == key; });
  return found == map->end() ? nullptr : &*found;
}

std::optional<std::size_t> item_number(const Value& value, const std::string& text) {
  const auto* list = std::get_if<Value::List>(&value.data);
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc{} && end == text.data() + text.size();
  return list != nullptr && is_number && number < list->size() ? std::optional(number) : std::nullopt;
}

/// How far a path leads: keys may have dots themselves (`space.model.C`).
struct Reached {
  Value* at = nullptr;      ///< the last that is there
  Value* parent = nullptr;  ///< what it is in
  std::string key;          ///< under this key, or as this item of a list
  std::size_t used = 0;     ///< parts of the path
};

bool step(Reached& reached, const Path& path) {
  if (const auto number = item_number(*reached.at, path[reached.used])) {
    Value& item = std::get<Value::List>(reached.at->data)[*number];
    reached = {&item, reached.at, path[reached.used], reached.used + 1};
    return true;
  }
  for (std::size_t end = reached.used + 1; end <= path.size(); ++end) {
    const std::string key = joined(path, reached.used, end);
    if (Value::Entry* entry = entry_in(*reached.at, key)) {
      reached = {&entry->value, reached.at, key, end};
      return true;
    }
  }
  return false;
}

Reached reach(Value& root, const Path& path) {
  Reached reached{&root, nullptr, {}, 0};
  while (reached.used < path.size() && step(reached, path)) {
  }
  return reached;
}

class Override {
 public:
  Override(Value& root, const Setter& setter, Diagnostics& diagnostics)
      : root_(root), text_(setter.second), diagnostics_(diagnostics) {
    std::string_view name = setter.first;
    if (name[0] == '+' || name[0] == '~') {
      sign_ = name[0];
      name.remove_prefix(1);
    }
    name_ = name;
    path_ = parts_of(name);
    const bool is_key = workflow_settings().find(path_.front()) != nullptr;
    const Value* stages = root.find("stages");
    if (!is_key && stages != nullptr && stages->find(path_.front()) != nullptr)
      path_.insert(path_.begin(), "stages");
    const std::string shown = sign_ == '~' ? setter.first : setter.first + "=" + setter.second;
    where_ = {std::make_shared<const SourceFile>(SourceFile{"--set", shown}), 1,
              static_cast<std::uint32_t>(1 + setter.first.size() - name.size()),
              static_cast<std::uint32_t>(std::max<std::size_t>(name.size(), 1))};
  }

  void apply() {
    if (std::find(path_.begin(), path_.end(), "") != path_.end())
      return refuse("this is no path in a workflow",
                    "--set stages.fit.model.l2=3, +stages.fit.needs=split, ~stages.fit");
    const Reached reached = reach(root_, path_);
    const bool found = reached.used == path_.size();
    if (sign_ == '~') return found ? remove(reached) : missing(reached);
    const auto given = std::make_shared<const SourceFile>(SourceFile{"--set " + name_, text_});
    auto value = read_argument(given, diagnostics_);
    if (!value) return;
    if (sign_ == '+') return found ? add_to(reached, std::move(*value)) : add(reached, std::move(*value));
    if (found)
      *reached.at = std::move(*value);
    else if (is_resource(reached) || is_storage(reached))
      add(reached, std::move(*value));
    else
      missing(reached);
  }

 private:
  /// What a stage asks for may come from elsewhere: it need not be written there to be replaced.
  [[nodiscard]] bool is_resource(const Reached& reached) const {
    return path_.size() == 4 && path_[0] == "stages" && path_[2] == "resources" && reached.used >= 2 &&
           resource_settings().find(path_[3]) != nullptr;
  }

  /// `storage.transport`, `storage.hints.NAME`: the site file may have said it.
  [[nodiscard]] bool is_storage(const Reached& reached) const {
    if (path_[0] != "storage" || path_.size() < 2 || !(reached.at->is_map() || reached.at->is_null()))
      return false;
    return path_[1] == "hints" || (path_.size() == 2 && storage_settings().find(path_[1]) != nullptr);
  }

  void add(const Reached& reached, Value value) {
    if (!reached.at->is_map() && !reached.at->is_null())
      return refuse(
          fmt::format("'{}' is {}, and takes no key", joined(path_, 0, reached.used), describe(*reached.at)),
          "");
    for (std::size_t part = path_.size(); part-- > reached.used + 1;) {
      Value::Map map{{path_[part], where_, std::move(value)}};
      value = Value{std::move(map), where_, ""};
    }
    if (reached.at->is_null()) reached.at->data = Value::Map{};
    std::get<Value::Map>(reached.at->data).push_back({path_[reached.used], where_, std::move(value)});
  }

  void add_to(const Reached& reached, Value value) {
    if (reached.at->is_map())
      return refuse(fmt::format("'{}' is there already", name_),
                    fmt::format("without the + it is replaced: --set '{}=...'", name_));
    Value::List items;
    if (auto* list = std::get_if<Value::List>(&reached.at->data))
      items = std::move(*list);
    else
      items.push_back(*reached.at);
    if (auto* more = std::get_if<Value::List>(&value.data))
      std::move(more->begin(), more->end(), std::back_inserter(items));
    else
      items.push_back(std::move(value));
    *reached.at = Value{std::move(items), where_, ""};
  }

  static void remove(const Reached& reached) {
    if (auto* list = std::get_if<Value::List>(&reached.parent->data)) {
      list->erase(list->begin() + (reached.at - list->data()));
      return;
    }
    std::erase_if(std::get<Value::Map>(reached.parent->data),
                  [&](const Value::Entry& entry) { return &entry.value == reached.at; });
  }

  void missing(const Reached& reached) {
    std::vector<std::string> keys;
    if (const auto* map = std::get_if<Value::Map>(&reached.at->data))
      for (const Value::Entry& entry : *map) keys.push_back(entry.key);
    std::string help = did_you_mean(path_[reached.used], keys);
    if (help.empty() && sign_ != '~') help = fmt::format("a + adds it: --set '+{}={}'", name_, text_);
    const std::string place = reached.used == 0 ? "the workflow" : "'" + joined(path_, 0, reached.used) + "'";
    refuse(fmt::format("{} has no '{}'", place, joined(path_, reached.used, path_.size())), help);
  }

  void refuse(std::string message, std::string help) {
    diagnostics_.error(where_, std::move(message), std::move(help));
  }

  Value& root_;
  std::string name_, text_;
  Diagnostics& diagnostics_;
  char sign_ = '=';
  Path path_;
  Where where_;
};

/// The stages that a path speaks of, and the resource: {nullptr, nullptr} when it is none.
std::pair<std::vector<Stage*>, const Setting*> meant(Workflow& workflow, const std::string& name) {
  Path path = parts_of(name);
  if (path.size() > 1 && path.front() == "stages") path.erase(path.begin());
  const Setting* setting = resource_settings().find(path.back());
  std::vector<Stage*> stages;
  const bool one = path.size() == 2 || (path.size() == 3 && path[1] == "resources");
  for (Stage& stage : workflow.stages)
    if (path.size() == 1 || (path.size() == 2 && path[0] == "resources") || (one && stage.name == path[0]))
      stages.push_back(&stage);
  return {std::move(stages), setting};
}

}  // namespace

bool is_override(std::string_view name) {
  return name.starts_with('+') || name.starts_with('~') || name.find('.') != std::string_view::npos;
}

void apply_override(Value& root, const Setter& setter, Diagnostics& diagnostics) {
  Override(root, setter, diagnostics).apply();
}

void set_resources(Workflow& workflow, const std::vector<Setter>& setters, Diagnostics& diagnostics) {
  for (const auto& [name, text] : setters) {
    const auto file =
        std::make_shared<const SourceFile>(SourceFile{"--set", fmt::format("{}={}", name, text)});
    const Where where{file, 1, 1, static_cast<std::uint32_t>(std::max<std::size_t>(name.size(), 1))};
    const auto [stages, setting] = meant(workflow, name);
    if (setting == nullptr || stages.empty()) {
      const std::string help =
          setting == nullptr ? did_you_mean(parts_of(name).back(), keys_of({&resource_settings()})) : "";
      diagnostics.error(where,
                        setting == nullptr ? fmt::format("'{}' is no resource of a stage", name)
                                           : fmt::format("there is no stage for '{}'", name),
                        !help.empty()
                            ? help
                            : "a run goes on with other resources: time=10, fit.mem=8G; for other changes "
                              "edit the workflow, and resume --with it");
      continue;
    }
    const auto given = std::make_shared<const SourceFile>(SourceFile{"--set " + name, text});
    const auto value = read_argument(given, diagnostics);
    if (!value) continue;
    for (Stage* stage : stages) {
      SettingsReader reader(diagnostics, &stage->matrix);
      auto json = reader.convert(*setting, *value);
      if (!json) break;
      stage->resources[setting->name] = std::move(*json);
      stage->resource_where[setting->name] = where;
      check_resources(*stage, diagnostics);
    }
  }
}

}  // namespace kernmill
