#include <fmt/format.h>

#include "kernmill/run/conductor/conductor.hpp"

// `when`: which instances run at all.

namespace kernmill {

// Instances whose parents have all committed learn at once whether they will run: nobody waits for a job to
// find out. A `when` that cannot be computed is left to `passes_gate`, once the instance is taken.
void Conductor::settle_gates(std::uint32_t stage) {
  if (plan_.stage(stage).when.empty() || progress_.count(stage, State::ready) == 0) return;
  for (std::uint32_t index = 0; index < plan_.instance_count(stage); ++index) settle_gate({stage, index});
}

void Conductor::settle_gate(InstanceId id) {
  if (progress_.state(id) != State::ready) return;
  try {
    if (when_is_true(plan_, id, commits_)) return;
  } catch (const ExpressionError&) {
    return;
  }
  const std::string why = why_false(plan_, id, commits_);
  journal_.append(to_record(events::Skipped{plan_.stage(id.stage).name, id.index, why}));
  skip(id, why);
}

void Conductor::skip(InstanceId id, const std::string& why) {
  progress_.skipped(id);
  InstanceEvent skipped = event(InstanceEvent::What::skipped, Attempt{id, 0, ports_.now(), {}});
  skipped.message = why;
  output_.instance(skipped);
  remove_temporary_behind(id);
}

void Conductor::settle_gates_behind(InstanceId parent) {
  for (const auto& [stage, kind] : gated_children_[parent.stage]) {
    if (kind == EdgeKind::each)
      settle_gate({stage, parent.index});
    else
      settle_gates(stage);
  }
}

bool Conductor::passes_gate(InstanceId id) {
  try {
    when_is_true(plan_, id, commits_);  // a false one was settled when it became ready
    return true;
  } catch (const ExpressionError& error) {
    const Attempt attempt{id, ++tries(id).attempts, ports_.now(), {}};
    JobOutcome outcome;
    outcome.what = JobOutcome::What::failed;
    outcome.message = fmt::format("when: {}: {}", plan_.stage(id.stage).when, error.message);
    journal_.append(to_record(
        events::Failed{subject(id, attempt.number), {.cause = outcome.cause, .message = outcome.message}}));
    failed(attempt, outcome);
    return false;
  }
}

}  // namespace kernmill
