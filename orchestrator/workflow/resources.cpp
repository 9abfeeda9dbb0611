#include "kernmill/workflow/resources.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "kernmill/workflow/value/units.hpp"

namespace kernmill {
namespace {

/// A key of `resources:`, and all that is done with it here: what it is called, how it is read and written.
/// How people write it, and what it is for, is in settings/settings_stage.cpp.
struct ResourceKey {
  std::string_view name;
  bool (*read)(Resources& r, const Json& value);   ///< false: the value does not fit
  Json (*json)(const Resources& r);                ///< what `read` reads back; null: not asked for
  std::string (*option)(const Resources& r) = {};  ///< of sbatch's option of that name; empty: not asked for
};

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string text_of_range(int min, int max) {
  if (min <= 0) return {};
  return min == max ? std::to_string(min) : fmt::format("{}-{}", min, max);
}

Json unless_empty(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

template <std::string Resources::*member>
constexpr ResourceKey text(std::string_view name) {
  return {name, [](Resources& r, const Json& value) { return r.*member = text_of(value), true; },
          [](const Resources& r) { return unless_empty(r.*member); },
          [](const Resources& r) { return r.*member; }};
}

template <std::string Resources::*member>
constexpr ResourceKey gpus(std::string_view name) {
  ResourceKey key = text<member>(name);
  key.read = [](Resources& r, const Json& value) { return is_gpu_request(r.*member = text_of(value)); };
  return key;
}

template <int Resources::*member>
constexpr ResourceKey count(std::string_view name) {
  return {name,
          [](Resources& r, const Json& value) {
            const auto range = parse_node_range(
                value.is_number_float() ? fmt::format("{}", value.get<double>()) : text_of(value));
            if (range) r.*member = range->first;
            return range && range->first == range->second;
          },
          [](const Resources& r) { return r.*member > 0 ? Json(r.*member) : Json(); },
          [](const Resources& r) { return r.*member > 0 ? std::to_string(r.*member) : std::string(); }};
}

template <std::uint64_t Resources::*member>
constexpr ResourceKey memory(std::string_view name) {
  return {name,
          [](Resources& r, const Json& value) {
            const auto bytes = parse_memory(text_of(value));
            r.*member = bytes.value_or(0);
            return bytes.has_value();
          },
          [](const Resources& r) {
            return r.*member > 0 ? Json(fmt::format("{}K", (r.*member + 1023) / 1024)) : Json();
          },
          [](const Resources& r) { return r.*member > 0 ? sbatch_memory(r.*member) : std::string(); }};
}

constexpr ResourceKey nodes{"nodes",
                            [](Resources& r, const Json& value) {
                              const auto range = parse_node_range(text_of(value));
                              if (range) std::tie(r.nodes_min, r.nodes_max) = *range;
                              return range.has_value();
                            },
                            [](const Resources& r) {
                              return r.nodes_min > 0 && r.nodes_min == r.nodes_max
                                         ? Json(r.nodes_min)
                                         : unless_empty(text_of_range(r.nodes_min, r.nodes_max));
                            },
                            [](const Resources& r) { return text_of_range(r.nodes_min, r.nodes_max); }};

constexpr ResourceKey ntasks{
    "ntasks", count<&Resources::ntasks>("").read,
    [](const Resources& r) { return r.ntasks_by_node ? Json() : Json(r.ntasks); },
    [](const Resources& r) { return r.ntasks_by_node ? std::string() : std::to_string(r.ntasks); }};

constexpr ResourceKey ntasks_per_node{"ntasks_per_node", count<&Resources::ntasks_per_node>("").read,
                                      count<&Resources::ntasks_per_node>("").json, [](const Resources& r) {
                                        const bool asked_for = r.ntasks_by_node || r.ntasks_per_node > 0;
                                        return asked_for ? std::to_string(std::max(r.ntasks_per_node, 1))
                                                         : std::string();
                                      }};

constexpr ResourceKey time_limit{
    "time",
    [](Resources& r, const Json& value) {
      const auto time = parse_time(text_of(value));
      r.time = time.value_or(std::chrono::seconds(0));
      return time.has_value();
    },
    [](const Resources& r) { return r.time.count() > 0 ? Json(spell_time(r.time)) : Json(); },
    [](const Resources& r) { return r.time.count() > 0 ? sbatch_time(r.time) : std::string(); }};

constexpr ResourceKey slurm_extra{"slurm_extra",
                                  [](Resources& r, const Json& value) {
                                    std::vector<std::string> texts;
                                    for (const Json& item : value) texts.push_back(text_of(item));
                                    r.slurm_extra = read_sbatch_options(texts);
                                    return true;
                                  },
                                  [](const Resources& r) {
                                    const auto words = to_words(r.slurm_extra);
                                    return words.empty() ? Json() : Json(words);
                                  }};

constexpr std::array keys{nodes,
                          ntasks,
                          ntasks_per_node,
                          count<&Resources::cpus_per_task>("cpus_per_task"),
                          gpus<&Resources::gpus>("gpus"),
                          gpus<&Resources::gpus_per_node>("gpus_per_node"),
                          gpus<&Resources::gpus_per_task>("gpus_per_task"),
                          memory<&Resources::mem>("mem"),
                          memory<&Resources::mem_per_cpu>("mem_per_cpu"),
                          time_limit,
                          text<&Resources::account>("account"),
                          text<&Resources::partition>("partition"),
                          text<&Resources::qos>("qos"),
                          text<&Resources::reservation>("reservation"),
                          text<&Resources::constraint>("constraint"),
                          text<&Resources::exclude>("exclude"),
                          text<&Resources::gres>("gres"),
                          text<&Resources::licenses>("licenses"),
                          slurm_extra};

std::string option_name(std::string_view key) {
  std::string name(key);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

}  // namespace

Resources to_resources(const Json& json) {
  Resources resources;
  for (const auto& item : json.items()) {
    const std::string& name = item.key();
    const Json& value = item.value();
    const auto* const key =
        std::find_if(keys.begin(), keys.end(), [&](const ResourceKey& one) { return one.name == name; });
    if (key == keys.end()) throw std::invalid_argument(fmt::format("unknown resource {}", name));
    if (!key->read(resources, value))
      throw std::invalid_argument(fmt::format("resource {} cannot be {}", name, value.dump()));
  }
  resources.ntasks_by_node =
      !json.contains("ntasks") && (json.contains("nodes") || json.contains("ntasks_per_node"));
  if (resources.ntasks_by_node)
    resources.ntasks = std::max(resources.nodes_min, 1) * std::max(resources.ntasks_per_node, 1);
  return resources;
}

Json to_json(const Resources& resources) {
  Json json = Json::object();
  for (const ResourceKey& key : keys)
    if (Json value = key.json(resources); !value.is_null()) json[std::string(key.name)] = std::move(value);
  return json;
}

SbatchOptions::List options_for(const Resources& resources) {
  const auto& [extra, strays] = resources.slurm_extra;
  if (!strays.empty())
    throw std::invalid_argument(
        fmt::format("'{}' in slurm_extra is no long option of sbatch; write --name=value", strays.front()));
  SbatchOptions::List options;
  for (const ResourceKey& key : keys) {
    if (key.option == nullptr) continue;
    if (std::string value = key.option(resources); !value.empty())
      options.emplace_back(option_name(key.name), std::move(value));
  }
  options.insert(options.end(), extra.begin(), extra.end());
  return options;
}

}  // namespace kernmill
