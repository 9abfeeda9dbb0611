#pragma once
#include "kernmill/cli/arguments.hpp"
#include "kernmill/plan/plan.hpp"
#include "kernmill/run/directory/run_directory.hpp"

namespace kernmill::cli {

/// `kernmill explain RUN STAGE.3 --env`: which variables the newest attempt of an instance was started with,
/// and where each came from. Returns the exit status; throws UsageError when nothing is known of it.
int explain_environment(const RunDirectory& run, const Plan& plan, const Arguments& arguments);

}  // namespace kernmill::cli
