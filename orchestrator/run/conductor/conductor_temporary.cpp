#include "kernmill/run/conductor/conductor.hpp"

// `temp: true`: artifacts that go when nobody needs them any more.

namespace kernmill {

Settled Conductor::settled() const {
  return {[this](InstanceId id) {
            const State state = progress_.state(id);
            return state == State::finished || state == State::skipped;
          },
          [this](std::uint32_t stage) {
            return progress_.count(stage, State::finished) + progress_.count(stage, State::skipped) ==
                   plan_.instance_count(stage);
          }};
}

void Conductor::remove_temporary(InstanceId id) {
  const auto left = commits_.result(id);
  if (!left) return;
  for (const Artifact& artifact : left->artifacts)
    if (artifact.temp) ports_.remove_artifact(artifact);
}

void Conductor::remove_temporary_behind(InstanceId id) {
  if (!ports_.remove_artifact) return;
  for (const InstanceId parent : temporary_.freed_by(id, settled())) remove_temporary(parent);
}

// Those that nobody waits for, and what a killed conductor has left.
void Conductor::remove_temporary_at_end() {
  if (!ports_.remove_artifact) return;
  for (std::uint32_t stage = 0; stage < plan_.stage_count(); ++stage)
    for (std::uint32_t i = 0; temporary_.has(stage) && i < plan_.instance_count(stage); ++i)
      if (temporary_.is_free({stage, i}, settled())) remove_temporary({stage, i});
}

}  // namespace kernmill
