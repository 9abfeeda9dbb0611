#include "kernmill/run/journal/replay.hpp"

namespace kernmill {

bool has_failed(const InstanceRecord& instance) {
  return !instance.committed && !instance.attempts.empty() &&
         instance.attempts.back().state == AttemptState::failed;
}

bool has_settled(const InstanceRecord& instance) {
  return instance.committed || instance.skipped || has_failed(instance);
}

Replay::Replay(const Plan& plan, const RunRecord& record, const std::vector<InstanceId>& skipped,
               const PlainCommits* plain)
    : plan_(plan), progress_(plan, {.max_parallel = false}) {
  if (plain != nullptr)
    for (const auto& [stage, summary] : plain->summaries()) {
      const std::uint32_t number = plan_.stage_number(stage);
      for (const IndexRanges::Range& range : summary.instances.ranges())
        for (std::uint32_t index = range.first; index <= range.last; ++index)
          progress_.restore({number, index}, State::finished);
    }
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
