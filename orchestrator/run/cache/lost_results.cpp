#include "kernmill/run/cache/lost_results.hpp"

#include <filesystem>

#include <fmt/format.h>

namespace kernmill {
namespace {

/// What is wrong with an artifact; empty when nothing is.
std::string why_lost(const Artifact& artifact, DigestStore& digests) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(artifact.path, error);
  if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory)
    return fmt::format("{} is gone", artifact.path);
  if (error) return fmt::format("{} cannot be looked at ({})", artifact.path, error.message());
  if (bytes == artifact.bytes)
    return artifact.sha256.empty() || digests.sha256(artifact.path) == artifact.sha256
               ? ""
               : fmt::format("{} has been changed since it was committed", artifact.path);
  return fmt::format("{} has {} bytes, and had {} when it was committed", artifact.path, bytes,
                     artifact.bytes);
}

}  // namespace

std::vector<LostResult> take_out_lost_results(RunRecord& record, DigestStore& digests) {
  std::vector<LostResult> lost;
  for (auto& [key, instance] : record.instances) {
    std::string why;
    for (const Artifact& artifact : instance.artifacts)
      if (why.empty()) why = why_lost(artifact, digests);
    if (!instance.committed || why.empty()) continue;
    lost.push_back({key.first, key.second, std::move(why)});
    instance.committed = false;
    instance.metrics = Json::object();
    instance.artifacts.clear();
  }
  return lost;
}

}  // namespace kernmill
