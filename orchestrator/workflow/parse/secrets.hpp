#pragma once
#include <string>

#include "kernmill/workflow/parse/draft.hpp"

/// Secrets are named in a workflow, and never stand in it.
namespace kernmill {

/// Warns of each variable of an `env:` that looks like a secret and is written out.
void warn_of_secrets(const Value& env, Diagnostics& diagnostics);
/// The same of a parameter, which `where` names.
void warn_of_secret_param(const std::string& name, const Value& value, const Where& where,
                          Diagnostics& diagnostics);

/// Warns of a key that stands in a stage's `env`.
void warn_of_written_key(const Stage& stage, const Encryption& encryption, Diagnostics& diagnostics);

/// Makes the files that a stage's variables come from absolute. One that others may use is an error.
void place_secret_files(StageDraft& stage, const Draft& draft);

}  // namespace kernmill
