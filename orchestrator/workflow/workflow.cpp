#include "kernmill/workflow/workflow.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/workflow/value/units.hpp"

namespace kernmill {
namespace {

constexpr std::array<std::string_view, 6> kind_names{"preprocess", "train",  "evaluate",
                                                     "tune",       "deploy", "command"};

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

[[noreturn]] void misfit(const std::string& key, const Json& value) {
  throw std::invalid_argument(fmt::format("resource {} cannot be {}", key, value.dump()));
}

template <class T>
T parsed(const std::string& key, const Json& value, std::optional<T> (*parse)(std::string_view)) {
  const auto result = parse(text_of(value));
  if (!result) misfit(key, value);
  return *result;
}

void set_count(int& field, const std::string& key, const Json& value) {
  const auto range =
      parse_node_range(value.is_number_float() ? fmt::format("{}", value.get<double>()) : text_of(value));
  if (!range || range->first != range->second) misfit(key, value);
  field = range->first;
}

void set_gpus(std::string& field, const std::string& key, const Json& value) {
  field = text_of(value);
  if (!is_gpu_request(field)) misfit(key, value);
}

void set_nodes(Resources& resources, const std::string& key, const Json& value) {
  std::tie(resources.nodes_min, resources.nodes_max) =
      parsed<std::pair<int, int>>(key, value, parse_node_range);
}

bool set_number(Resources& r, const std::string& key, const Json& value) {
  if (key == "nodes") return set_nodes(r, key, value), true;
  if (key == "ntasks") return set_count(r.ntasks, key, value), true;
  if (key == "ntasks_per_node") return set_count(r.ntasks_per_node, key, value), true;
  if (key == "cpus_per_task") return set_count(r.cpus_per_task, key, value), true;
  if (key == "gpus") return set_gpus(r.gpus, key, value), true;
  if (key == "gpus_per_node") return set_gpus(r.gpus_per_node, key, value), true;
  if (key == "gpus_per_task") return set_gpus(r.gpus_per_task, key, value), true;
  if (key == "mem") return r.mem = parsed<std::uint64_t>(key, value, parse_memory), true;
  if (key == "mem_per_cpu") return r.mem_per_cpu = parsed<std::uint64_t>(key, value, parse_memory), true;
  if (key == "time") return r.time = parsed<std::chrono::seconds>(key, value, parse_time), true;
  return false;
}

std::string* text_field(Resources& r, std::string_view key) {
  if (key == "account") return &r.account;
  if (key == "partition") return &r.partition;
  if (key == "qos") return &r.qos;
  if (key == "reservation") return &r.reservation;
  if (key == "constraint") return &r.constraint;
  if (key == "exclude") return &r.exclude;
  if (key == "gres") return &r.gres;
  if (key == "licenses") return &r.licenses;
  return nullptr;
}

}  // namespace

std::string_view to_string(TaskKind kind) {
  return kind_names.at(static_cast<std::size_t>(kind));
}

std::optional<TaskKind> task_kind(std::string_view name) {
  const auto found = std::find(kind_names.begin(), kind_names.end(), name);
  if (found == kind_names.end()) return std::nullopt;
  return static_cast<TaskKind>(found - kind_names.begin());
}

const Stage* Workflow::find(std::string_view stage) const {
  const auto found =
      std::find_if(stages.begin(), stages.end(), [&](const Stage& s) { return s.name == stage; });
  return found == stages.end() ? nullptr : &*found;
}

Resources to_resources(const Json& json) {
  Resources resources;
  for (const auto& [key, value] : json.items()) {
    if (set_number(resources, key, value)) continue;
    if (std::string* field = text_field(resources, key))
      *field = text_of(value);
    else if (key == "slurm_extra")
      for (const Json& item : value) resources.slurm_extra.push_back(text_of(item));
    else
      throw std::invalid_argument(fmt::format("unknown resource {}", key));
  }
  resources.ntasks_by_node =
      !json.contains("ntasks") && (json.contains("nodes") || json.contains("ntasks_per_node"));
  if (resources.ntasks_by_node)
    resources.ntasks = std::max(resources.nodes_min, 1) * std::max(resources.ntasks_per_node, 1);
  return resources;
}

Json to_json(const Resources& r) {
  Json json = {{"cpus_per_task", r.cpus_per_task}};
  if (!r.ntasks_by_node) json["ntasks"] = r.ntasks;
  if (r.nodes_min > 0)
    json["nodes"] =
        r.nodes_min == r.nodes_max ? Json(r.nodes_min) : Json(fmt::format("{}-{}", r.nodes_min, r.nodes_max));
  if (r.ntasks_per_node > 0) json["ntasks_per_node"] = r.ntasks_per_node;
  const auto kilobytes = [](std::uint64_t bytes) { return fmt::format("{}K", (bytes + 1023) / 1024); };
  if (r.mem > 0) json["mem"] = kilobytes(r.mem);
  if (r.mem_per_cpu > 0) json["mem_per_cpu"] = kilobytes(r.mem_per_cpu);
  if (r.time.count() > 0) json["time"] = fmt::format("{}s", r.time.count());
  const std::pair<const char*, const std::string*> texts[] = {{"gpus", &r.gpus},
                                                              {"gpus_per_node", &r.gpus_per_node},
                                                              {"gpus_per_task", &r.gpus_per_task},
                                                              {"account", &r.account},
                                                              {"partition", &r.partition},
                                                              {"qos", &r.qos},
                                                              {"reservation", &r.reservation},
                                                              {"constraint", &r.constraint},
                                                              {"exclude", &r.exclude},
                                                              {"gres", &r.gres},
                                                              {"licenses", &r.licenses}};
  for (const auto& [key, text] : texts)
    if (!text->empty()) json[key] = *text;
  if (!r.slurm_extra.empty()) json["slurm_extra"] = r.slurm_extra;
  return json;
}

}  // namespace kernmill
