#include "kernmill/plan/gathering.hpp"

#include <algorithm>

namespace kernmill {

bool Gathering::wants(const std::string& artifact) const {
  return artifacts.empty() || std::find(artifacts.begin(), artifacts.end(), artifact) != artifacts.end();
}

std::vector<Gathering> gatherings_of(const Plan& plan, std::uint32_t stage) {
  std::vector<Gathering> all;
  std::vector<std::uint32_t> whole;
  for (const Input& input : plan.stage(stage).inputs) {
    if (!input.gathered) continue;
    const std::uint32_t number = plan.stage_number(input.stage);
    const auto known = std::find_if(all.begin(), all.end(), [&](const auto& g) { return g.stage == number; });
    Gathering& gathering = known == all.end() ? all.emplace_back(Gathering{number, {}}) : *known;
    if (input.artifact.empty())
      whole.push_back(number);
    else
      gathering.artifacts.push_back(input.artifact);
  }
  for (Gathering& gathering : all)
    if (std::find(whole.begin(), whole.end(), gathering.stage) != whole.end()) gathering.artifacts.clear();
  return all;
}

bool gathers(const Plan& plan, std::uint32_t stage, std::uint32_t parent) {
  const auto& inputs = plan.stage(stage).inputs;
  const std::string& name = plan.stage(parent).name;
  return std::any_of(inputs.begin(), inputs.end(),
                     [&](const Input& input) { return input.gathered && input.stage == name; });
}

}  // namespace kernmill
