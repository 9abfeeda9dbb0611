#pragma once
#include "kernmill/exec/attempt/attempt_outcome.hpp"
#include "kernmill/exec/attempt/commit.hpp"
#include "kernmill/exec/pack/slot_files.hpp"

namespace kernmill::exec {

/// Whether instances of the stage leave artifacts, so that each has a directory of its own, and later runs
/// may take up what it has left.
bool leaves_artifacts(const Stage& stage);

/// Makes the directory in which a packed instance has worked its own, and its `place`.
void keep_directory(Attempt& attempt, SlotFiles& files);

/// Reads the end of a packed instance. One that has failed, or leaves artifacts, keeps its directory. Throws
/// AttemptError as `read_outcome` does.
AttemptOutcome packed_outcome(Attempt& attempt, SlotFiles& files, const StepEnd& end);

/// What is committed. Of an instance without a directory these are its metrics alone; else see
/// prepare_commit.
Commit packed_commit(const Attempt& attempt, const Leavings& leavings, const std::optional<Recipe>& before);

}  // namespace kernmill::exec
