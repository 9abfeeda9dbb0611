#include "kernmill/run/journal/replay.hpp"

namespace kernmill {
namespace {

/// Everything that could run is to be taken.
Plan without_limits(const Plan& plan) {
  Workflow workflow = plan.workflow();
  for (Stage& stage : workflow.stages) stage.max_parallel = 0;
  return Plan(std::move(workflow));
}

}  // namespace

bool has_failed(const InstanceRecord& instance) {
  return !instance.committed && !instance.attempts.empty() &&
         instance.attempts.back().state == AttemptState::failed;
}

bool has_settled(const InstanceRecord& instance) {
  return instance.committed || instance.skipped || has_failed(instance);
}

Replay::Replay(const Plan& plan, const RunRecord& record, const std::vector<InstanceId>& skipped)
    : plan_(without_limits(plan)), progress_(plan_, Progress::Options{}) {
  for (const auto& [key, instance] : record.instances) {
    const InstanceId id{plan_.stage_number(key.first), key.second};
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
