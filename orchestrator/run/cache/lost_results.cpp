#include "kernmill/run/cache/lost_results.hpp"

#include <filesystem>

#include <fmt/format.h>

namespace kernmill {
namespace {

/// What is wrong with an artifact by a look at its size; empty when nothing is.
std::string why_lost(const Artifact& artifact) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(artifact.path, error);
  if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory)
    return fmt::format("{} is gone", artifact.path);
  if (error) return fmt::format("{} cannot be looked at ({})", artifact.path, error.message());
  if (bytes == artifact.bytes) return "";
  return fmt::format("{} has {} bytes, and had {} when it was committed", artifact.path, bytes,
                     artifact.bytes);
}

}  // namespace

std::vector<LostResult> take_out_lost_results(RunRecord& record) {
  std::vector<LostResult> lost;
  for (auto& [key, instance] : record.instances) {
    std::string why;
    for (const Artifact& artifact : instance.artifacts)
      if (why.empty()) why = why_lost(artifact);
    if (!instance.committed || why.empty()) continue;
    lost.push_back({key.first, key.second, std::move(why)});
    instance.committed = false;
    instance.metrics = Json::object();
    instance.artifacts.clear();
  }
  return lost;
}

}  // namespace kernmill
