#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/plan/index_ranges.hpp"
#include "kernmill/plan/plan.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill {

/// Whether it tells how a result was made (times, speeds) and is no part of it: made again it is another.
bool is_record(const Artifact& artifact);
/// What an instance left for others.
struct InstanceResult {
  std::vector<Artifact> artifacts;
  Json metrics = Json::object();
};
/// What `stages.NAME.dir` calls the folder that the artifacts of an instance lie in.
inline constexpr const char* directory_name = "dir";
/// That folder; empty when it left no artifact.
std::string directory_of(const InstanceResult& left);
/// What a name of `stages.NAME.` stands for: the artifact of that name, all of them for the directory, or
/// none.
std::vector<Artifact> artifacts_named(const InstanceResult& left, const std::string& name);
/// What a `committed` record says of it.
struct CommittedResult {
  InstanceResult left;
  std::string key = {};  ///< of the recipe; empty: cannot be taken up again by another run
  std::string cached_from =
      {};  ///< the attempt directory that it was taken from; empty: made by this attempt
  std::uint64_t peak_memory = 0;  ///< bytes that the largest of its processes had; 0: not known
  std::string warning = {};       ///< of what it left, something could not be read
};
/// The result of an instance, or nothing as long as it is not known.
using ResultOf = std::function<std::optional<InstanceResult>(InstanceId)>;
/// What all instances of a stage have left.
using LeavingsOf = std::function<StageLeavings(std::uint32_t stage)>;

/// What these instances of a stage have left, by content; one without a result has none to leave. What an
/// instance without any artifact has done cannot be told.
StageLeavings leavings_of(const Plan& plan, std::uint32_t stage, const IndexRanges& instances,
                          const ResultOf& result_of);
/// Of all instances of the stage.
StageLeavings leavings_of(const Plan& plan, std::uint32_t stage, const ResultOf& result_of);

}  // namespace kernmill
