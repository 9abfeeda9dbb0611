#pragma once
#include "kernmill/workflow/parse/draft.hpp"

namespace kernmill {

/// Reads the settings of the stage's kind into `stage.config`, and checks what one setting alone cannot tell.
void read_config(const Draft& draft, StageDraft& stage, SettingsReader& reader);

/// Reads `space:` of a tune stage. `train` is the config that a trial starts from.
Json read_space(const Value& value, const Json& train, bool grid, Diagnostics& diagnostics);

/// The same of a tune stage whose trials run a command: names are free, and so are the choices.
Json read_command_space(const Value& value, bool grid, Diagnostics& diagnostics);

/// Reads the header of the file that a preprocess or deploy stage reads, and checks the columns that it
/// names.
void check_columns(const Draft& draft, const StageDraft& stage);

/// Whether the models can learn the targets that they are given, as far as that is known before the run.
void check_targets(const Draft& draft);

}  // namespace kernmill
