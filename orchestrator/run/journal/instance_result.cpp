#include "kernmill/run/journal/instance_result.hpp"

#include <filesystem>
#include <span>

#include <fmt/format.h>

#include "kernmill/base/sha256.hpp"

namespace kernmill {
namespace {

/// An instance's part of the text that the digest is of.
std::string text_of(std::uint32_t index, const std::optional<InstanceResult>& result) {
  if (!result) return fmt::format("{} -\n", index);
  Json artifacts = Json::array();
  for (const Artifact& artifact : result->artifacts)
    if (!is_record(artifact)) artifacts.push_back(Json::array({artifact.name, artifact.sha256}));
  return fmt::format("{} {} {}\n", index, artifacts.dump(), result->metrics.dump());
}

}  // namespace

bool is_record(const Artifact& artifact) {
  return artifact.name == "history" && artifact.path.ends_with("/history.h5");  // a task's, no command's
}

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

StageLeavings leavings_of(const Plan& plan, std::uint32_t stage, const IndexRanges& instances,
                          const ResultOf& result_of) {
  Sha256 digest;
  for (const auto& range : instances.ranges())
    for (std::uint32_t index = range.first; index <= range.last; ++index) {
      const auto result = result_of({stage, index});
      if (result && result->artifacts.empty())
        return {{}, fmt::format("{} has left no artifact", plan.label({stage, index}))};
      const std::string text = text_of(index, result);
      digest.add(std::as_bytes(std::span(text)));
    }
  return {hexadecimal(digest.finish()), {}};
}

StageLeavings leavings_of(const Plan& plan, std::uint32_t stage, const ResultOf& result_of) {
  const std::uint32_t count = plan.instance_count(stage);
  return leavings_of(plan, stage, count == 0 ? IndexRanges() : IndexRanges(0, count - 1), result_of);
}

}  // namespace kernmill
