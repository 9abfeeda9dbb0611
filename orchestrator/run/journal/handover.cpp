#include "kernmill/run/journal/handover.hpp"

#include "kernmill/run/journal/events.hpp"

namespace kernmill {
namespace {

std::string line_of(const Plan& plan, InstanceId id, const CommitTable& commits) {
  const auto result = commits.result(id);
  if (!result) return {};
  Json artifacts = Json::array();
  for (const Artifact& artifact : result->artifacts) artifacts.push_back(to_json(artifact));
  const Json left = {{events::field::metrics, result->metrics}, {events::field::artifacts, artifacts}};
  return to_line(to_record(events::Committed{{plan.stage(id.stage).name, id.index, 1}, left}));
}

}  // namespace

std::string handover(const Plan& plan, InstanceId id, const CommitTable& commits) {
  std::string lines;
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage)
    if (const auto meant = stage == id.stage ? std::nullopt : plan.referred(id, stage))
      lines += line_of(plan, *meant, commits);
  if (plan.is_reduce(id))
    for (std::uint32_t trial = 0; trial < id.index; ++trial) lines += line_of(plan, {id.stage, trial}, commits);
  return lines;
}

std::string handover_of_start(const Plan& plan, InstanceId id, unsigned attempt) {
  return to_line(to_record(events::Started{{plan.stage(id.stage).name, id.index, attempt}, {}, {}}));
}

}  // namespace kernmill
