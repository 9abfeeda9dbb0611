#include "kernmill/run/journal/instance_result.hpp"

#include <filesystem>

namespace kernmill {

std::string directory_of(const InstanceResult& left) {
  if (left.artifacts.empty()) return {};
  const Artifact& first = left.artifacts.front();
  const std::string ending = '/' + first.name;  // an output of a command may lie in a folder
  if (first.path.ends_with(ending)) return first.path.substr(0, first.path.size() - ending.size());
  return std::filesystem::path(first.path).parent_path().string();
}

std::vector<Artifact> artifacts_named(const InstanceResult& left, const std::string& name) {
  for (const Artifact& artifact : left.artifacts)
    if (artifact.name == name) return {artifact};
  return name == directory_name ? left.artifacts : std::vector<Artifact>{};
}

}  // namespace kernmill
