#include "kernmill/run/journal/replay.hpp"

#include <stdexcept>

#include <fmt/format.h>

namespace kernmill {

bool has_failed(const InstanceRecord& instance) {
  return !instance.committed && !instance.attempts.empty() &&
         instance.attempts.back().state == AttemptState::failed;
}

bool has_settled(const InstanceRecord& instance) {
  return instance.committed || instance.skipped || has_failed(instance);
}

namespace {

/// The instance of the plan that the journal speaks of.
InstanceId known_instance(const Plan& plan, const std::string& stage, std::uint32_t index) {
  const InstanceId id{plan.stage_number(stage), index};
  if (index < plan.instance_count(id.stage)) return id;
  throw std::runtime_error(fmt::format(
      "the journal speaks of instance {} of stage {}, which has {}: it is damaged, or belongs to another "
      "plan.json; put the run's folder back from a copy, or run the workflow anew",
      index, stage, plan.instance_count(id.stage)));
}

}  // namespace

Replay::Replay(const Plan& plan, const RunRecord& record, const std::vector<InstanceId>& skipped,
               const PlainCommits* plain)
    : plan_(plan), progress_(plan, {.max_parallel = false}) {
  if (plain != nullptr)
    for (const auto& [stage, summary] : plain->summaries()) {
      for (const IndexRanges::Range& range : summary.instances.ranges()) {
        const std::uint32_t number = known_instance(plan_, stage, range.last).stage;
        for (std::uint32_t index = range.first; index <= range.last; ++index)
          progress_.restore({number, index}, State::finished);
      }
    }
  for (const auto& [key, instance] : record.instances) {
    const InstanceId id = known_instance(plan_, key.first, key.second);
    if (instance.committed)
      progress_.restore(id, State::finished);
    else if (instance.skipped)
      progress_.restore(id, State::skipped);
  }
  for (const InstanceId id : skipped)
    if (progress_.state(id) == State::waiting || progress_.state(id) == State::ready)
      progress_.restore(id, State::skipped);
  while (const auto id = progress_.take_ready()) {
    const InstanceRecord* known = record.find(plan_.stage(id->stage).name, id->index);
    if (known != nullptr && has_failed(*known)) progress_.failed(*id, false);
  }
}

}  // namespace kernmill
