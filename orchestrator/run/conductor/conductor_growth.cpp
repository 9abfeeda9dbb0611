#include "kernmill/run/conductor/conductor.hpp"

// Instances that a stage decides when it has committed.

namespace kernmill {

void Conductor::grow() {
  if (!ports_.grow || plan_.all_decided()) return;
  const std::vector<std::uint32_t> stages = ports_.grow(commits_);
  if (stages.empty()) return;
  progress_.grown(stages);
  for (const std::uint32_t stage : stages) {
    if (ports_.packing) packing_[stage] = ports_.packing(stage);
    output_.grown(stage);
    settle_gates(stage);
  }
}

bool Conductor::fails_for_its_list(InstanceId id) {
  const std::string& problem = plan_.stage(id.stage).matrix.problem;
  if (problem.empty()) return false;
  const Attempt attempt{id, ++tries(id).attempts, ports_.now(), {}};
  JobOutcome outcome;
  outcome.what = JobOutcome::What::failed;
  outcome.message = problem;
  journal_.append(to_record(
      events::Failed{subject(id, attempt.number), {.cause = outcome.cause, .message = outcome.message}}));
  progress_.failed(id, /*retry=*/false);
  tell(InstanceEvent::What::failed, attempt, outcome);
  return true;
}

}  // namespace kernmill
