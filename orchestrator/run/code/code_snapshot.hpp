#pragma once
#include <string>
#include <vector>

#include "kernmill/run/cache/digest.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/workflow/text/diagnostic.hpp"
#include "kernmill/workflow/workflow.hpp"

/// The code that a run starts with (ADR 0016): `snapshot:` of a workflow.
namespace kernmill {

/// Looks at the code that the workflow names, and fills in what its snapshot would be: root, commit, dirty
/// and digest. What keeps it from that is a diagnostic at `snapshot`.
void survey_code(Workflow& workflow, DigestStore& digests, Diagnostics& diagnostics);

/// Copies the code into the run (`code`, then `code-2`, ...), and lets the workflow speak of the copy: where
/// commands start, and inputs that lie in it. Inputs beside it are linked into the copy, so that relative
/// paths lead to them. Throws std::system_error that names the file, std::runtime_error for what a survey
/// finds.
void take_code(const RunDirectory& run, Workflow& workflow, DigestStore& digests);

/// {"copy", "commit", "dirty", "digest"}
Json code_json(const Snapshot& snapshot);

/// "commit 1a2b3c4d with changes"; of a snapshot without git, the beginning of its digest.
std::string code_text(const Snapshot& snapshot);

}  // namespace kernmill
