#include "kernmill/exec/pack/pack_outcome.hpp"

#include "kernmill/os/durable_file.hpp"
#include "kernmill/workflow/command_stage.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;

bool left_metrics_alone(const Attempt& attempt, const StepEnd& end) {
  if (!end.still_there.empty()) return false;
  if (end.asked_to_stop) return true;  // it is run again: its checkpoints are all that counts
  if (end.exit_code != 0) return false;
  if (runs_command(attempt.stage())) return !leaves_artifacts(attempt.stage());
  if (fs::exists(attempt.file("error.json")) || !fs::exists(attempt.file("result.json"))) return false;
  const Json result = json_or_nothing(read_file(attempt.file("result.json")));
  return result.is_object() && result.value("artifacts", Json::object()).empty();
}

}  // namespace

bool leaves_artifacts(const Stage& stage) {
  if (runs_command(stage)) return !stage.config.value("outputs", Json::array()).empty();
  return stage.kind != TaskKind::tune;  // of its trials; the reduce is never packed
}

void keep_directory(Attempt& attempt, SlotFiles& files) {
  if (attempt.place.empty()) return;
  files.keep(attempt.run.attempt(attempt.stage().name, attempt.id.index, attempt.number));
  attempt.place.clear();
}

AttemptOutcome packed_outcome(Attempt& attempt, SlotFiles& files, const StepEnd& end) {
  if (!left_metrics_alone(attempt, end)) keep_directory(attempt, files);
  try {
    AttemptOutcome outcome = read_outcome(attempt, end);
    if (attempt.place.empty() || outcome.leavings.artifacts.empty()) return outcome;
    keep_directory(attempt, files);  // it was asked to stop, and had come to its end
    return read_outcome(attempt, end);
  } catch (const AttemptError&) {
    if (attempt.place.empty()) throw;
    keep_directory(attempt, files);
    return read_outcome(attempt, end);  // it names the files where they stay
  }
}

Commit packed_commit(const Attempt& attempt, const Leavings& leavings, const std::optional<Recipe>& before) {
  if (attempt.place.empty()) return prepare_commit(attempt, leavings, before);
  Commit commit;
  commit.metrics = leavings.metrics;
  commit.peak_memory = leavings.peak_memory;
  commit.warning = leavings.warning;
  return commit;
}

}  // namespace kernmill::exec
