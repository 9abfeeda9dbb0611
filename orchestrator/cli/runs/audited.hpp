#pragma once
#include <string>

#include "kernmill/cli/arguments.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/workflow/workflow.hpp"

/// The line that a command leaves in the audit log before it acts. One that cannot be written is told, and
/// the command goes on (ADR 0013).
namespace kernmill::cli {

/// Of an act on a run. `workflow`: what it says of a key is noted (its name, never the key); null: nothing.
void audit(const RunDirectory& run, const std::string& command, const Arguments& arguments,
           const Workflow* workflow = nullptr);

/// Of the use of a key on files (`data`, `model`), in the log of the user's run root, if there is one.
void audit_key_use(const std::string& command, const Arguments& arguments);

}  // namespace kernmill::cli
