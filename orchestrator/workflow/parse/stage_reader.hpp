#pragma once
#include "kernmill/workflow/parse/defaults.hpp"
#include "kernmill/workflow/parse/draft.hpp"

namespace kernmill {

/// What can be known of a stage before the others: its kind, its matrix, what a command leaves.
StageDraft begin_stage(Value::Entry entry, const Draft& draft);

/// Evaluates params in the stage's settings, and sorts them by table. All stages have begun.
void resolve_stage(StageDraft& stage, const Draft& draft);

/// Reads everything else. All stages are resolved.
void read_stage(StageDraft& stage, const Draft& draft, const CommonSettings& defaults);

}  // namespace kernmill
