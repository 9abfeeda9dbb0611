#pragma once
#include "kernmill/workflow/parse/draft.hpp"

namespace kernmill {

/// Reads the settings of a stage that name artifacts of other stages or files: fills `stage.inputs`, and the
/// stages it waits for.
void read_references(const Draft& draft, StageDraft& stage);

/// Checks every `stages.X.NAME` of the stage's expressions.
void check_stage_uses(const Draft& draft, StageDraft& stage);

/// Reads `needs:`.
void read_needs(const Draft& draft, StageDraft& stage);

/// Puts `stage.needs` together for every stage, and reports stages that wait for each other.
void connect_stages(Draft& draft);

/// The stage that a name means, or null after a diagnostic.
const StageDraft* find_stage(const Draft& draft, const std::string& name, const Where& where);

/// An absolute path for one that is relative to the workflow's file.
std::string absolute_path(const Draft& draft, const std::string& path);

}  // namespace kernmill
