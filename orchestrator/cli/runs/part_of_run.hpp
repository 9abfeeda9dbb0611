#pragma once
#include <filesystem>

#include "kernmill/cli/arguments.hpp"
#include "kernmill/plan/plan.hpp"

namespace kernmill::cli {

/// Adds --only and --until.
void add_part_options(boost::program_options::options_description& options);

/// The plan of a workflow, or of the part of it that the user wants. Throws UsageError for a stage that there
/// is not, and with --only when a result that the stage needs is not in the cache of the run root.
Plan plan_of_part(Workflow workflow, const Arguments& arguments, const std::filesystem::path& root);

}  // namespace kernmill::cli
