#include "kernmill/cli/runs/instance_selector.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/cli/command.hpp"

namespace kernmill::cli {

InstanceId chosen_instance(const Plan& plan, std::string text) {
  std::erase(text, ']');
  std::replace(text.begin(), text.end(), '[', '.');
  const std::size_t dot = text.find('.');
  const std::string name = text.substr(0, dot);
  std::vector<std::string> names;
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage) names.push_back(plan.stage(stage).name);
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw UsageError(fmt::format("no stage '{}'; there are: {}", name, fmt::join(names, ", ")));
  InstanceId id{static_cast<std::uint32_t>(found - names.begin()), 0};
  if (dot == std::string::npos) return id;
  const std::string index = text.substr(dot + 1);
  const std::uint32_t count = plan.instance_count(id.stage);
  if (index == "reduce" && plan.is_reduce({id.stage, count - 1})) return {id.stage, count - 1};
  const auto [end, error] = std::from_chars(index.data(), index.data() + index.size(), id.index);
  if (error != std::errc{} || end != index.data() + index.size() || id.index >= count)
    throw UsageError(fmt::format("stage {} has no instance '{}'; it has {}", name, index, count));
  return id;
}

bool names_instance(const std::string& text) {
  return text.find_first_of(".[") != std::string::npos;
}

std::string stage_in(const std::string& text) {
  return text.substr(0, text.find_first_of(".["));
}

}  // namespace kernmill::cli
