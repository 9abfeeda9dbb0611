#include "kernmill/plan/packing.hpp"

#include <algorithm>
#include <cctype>
#include <limits>
#include <sstream>

#include <fmt/format.h>

namespace kernmill {
namespace {

constexpr std::uint32_t most_elements = 64;  // of a stage that is packed automatically

std::uint32_t divide_up(std::uint32_t a, std::uint32_t b) {
  return (a + b - 1) / b;
}

/// Instances that fit side by side on a node.
std::uint32_t slots_on(const Resources& resources, const JobPlanOptions& node) {
  const auto cores = static_cast<std::uint32_t>(std::max(1, resources.cores()));
  std::uint64_t slots = std::max(1U, node.node_cpus / cores);
  const std::uint64_t mem = std::max(resources.mem, resources.mem_per_cpu * cores);
  if (mem > 0 && node.node_mem > 0) slots = std::min(slots, std::max<std::uint64_t>(1, node.node_mem / mem));
  return static_cast<std::uint32_t>(slots);
}

/// Instances that can run one after another within the time limit that an element may have.
std::uint32_t rounds_within(const Resources& resources, const JobPlanOptions& options) {
  if (resources.time.count() <= 0 || options.max_time.count() <= 0)
    return std::numeric_limits<std::uint16_t>::max();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(options.max_time / resources.time, 1,
                                                             std::numeric_limits<std::uint16_t>::max()));
}

/// "2", "a100:2" or "a100:1,h100:2", times `factor`.
std::string times(const std::string& gpus, std::uint32_t factor) {
  std::istringstream parts(gpus);
  std::string result;
  for (std::string part; std::getline(parts, part, ',');) {
    const std::size_t colon = part.rfind(':');
    const std::string type = colon == std::string::npos ? "" : part.substr(0, colon + 1);
    const bool counted =
        part.size() > type.size() && std::isdigit(static_cast<unsigned char>(part[type.size()])) != 0;
    const std::string one = counted ? fmt::format("{}{}", type, std::stoul(part.substr(type.size())) * factor)
                                    : fmt::format("{}:{}", part, factor);  // a type alone is one of it
    result += (result.empty() ? "" : ",") + one;
  }
  return result;
}

}  // namespace

Packing packing_of(const Stage& stage, const Resources& resources, std::uint32_t count,
                   const JobPlanOptions& options) {
  if (stage.pack == 1 || count <= 1 || resources.nodes_max > 1) return {};
  std::uint32_t slots = std::min(slots_on(resources, options), count);
  if (stage.max_parallel > 0) slots = std::min(slots, static_cast<std::uint32_t>(stage.max_parallel));
  std::uint32_t pack = static_cast<std::uint32_t>(stage.pack);
  if (stage.pack == 0) {
    const std::uint32_t elements =
        std::clamp(2 * options.nodes, 1U, std::min(most_elements, divide_up(count, slots)));
    pack = std::min(divide_up(count, elements), slots * rounds_within(resources, options));
  }
  pack = std::min(pack, count);
  return pack <= 1 ? Packing{} : Packing{pack, std::min(slots, pack)};
}

Resources for_pack(const Resources& resources, const Packing& packing) {
  Resources element = resources;
  element.nodes_min = element.nodes_max = 1;
  element.ntasks = 1;
  element.ntasks_per_node = 0;
  element.ntasks_by_node = false;
  element.cpus_per_task = resources.cores() * static_cast<int>(packing.slots);
  element.mem *= packing.slots;
  element.time *= divide_up(packing.pack, packing.slots);
  const auto tasks = static_cast<std::uint32_t>(resources.ntasks);
  for (const std::string* gpus : {&resources.gpus, &resources.gpus_per_node})
    if (!gpus->empty()) element.gpus_per_node = times(*gpus, packing.slots);
  if (!resources.gpus_per_task.empty())
    element.gpus_per_node = times(resources.gpus_per_task, tasks * packing.slots);
  element.gpus = element.gpus_per_task = "";
  return element;
}

}  // namespace kernmill
