#include "kernmill/run/journal/replay.hpp"

#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/workflow/text/unicode.hpp"

namespace kernmill {

bool has_failed(const InstanceRecord& instance) {
  return !instance.committed && !instance.attempts.empty() &&
         instance.attempts.back().state == AttemptState::failed;
}

bool has_settled(const InstanceRecord& instance) {
  return instance.committed || instance.skipped || has_failed(instance);
}

namespace {

/// Whether the plan of the run may have grown since this one was read.
bool may_have_grown(const Plan& plan, std::uint32_t stage) {
  return plan.undecided(stage) || !plan.stage(stage).matrix.problem.empty();
}

/// The instance of the plan that the journal speaks of; nothing for one that came when the plan had grown.
std::optional<InstanceId> known_instance(const Plan& plan, const std::string& stage, std::uint32_t index) {
  const bool is_known = plan.workflow().find(stage) != nullptr;
  const std::uint32_t number = is_known ? plan.stage_number(stage) : 0;
  const std::uint32_t count = is_known ? plan.instance_count(number) : 0;
  if (index < count) return InstanceId{number, index};
  if (is_known && may_have_grown(plan, number)) return {};
  throw std::runtime_error(
      fmt::format("the journal speaks of instance {} of stage {}, of which plan.json has {}: one of them is "
                  "damaged, or belongs to "
                  "another run; put the run's folder back from a copy, or run the workflow anew",
                  index, printable_line(stage), count));
}

}  // namespace

Replay::Replay(const Plan& plan, const RunRecord& record, const std::vector<InstanceId>& skipped,
               const PlainCommits* plain)
    : plan_(plan), progress_(plan, {.max_parallel = false}) {
  if (plain != nullptr)
    for (const auto& [stage, summary] : plain->summaries()) {
      for (const IndexRanges::Range& range : summary.instances.ranges()) {
        const auto last = known_instance(plan_, stage, range.last);
        for (std::uint32_t index = range.first; last && index <= range.last; ++index)
          progress_.restore({last->stage, index}, State::finished);
      }
    }
  for (const auto& [key, instance] : record.instances) {
    const auto id = known_instance(plan_, key.first, key.second);
    if (!id) continue;
    if (instance.committed)
      progress_.restore(*id, State::finished);
    else if (instance.skipped)
      progress_.restore(*id, State::skipped);
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
