#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernmill/cli/arguments.hpp"
#include "kernmill/workflow/text/diagnostic.hpp"
#include "kernmill/workflow/workflow.hpp"

namespace kernmill::cli {

/// /etc/kernmill/site.yaml, or what KERNMILL_SITE names.
std::filesystem::path site_file();

/// Adds --set and -p.
void add_workflow_options(boost::program_options::options_description& options);

/// NAME and VALUE of what --set was given. Throws UsageError.
std::vector<std::pair<std::string, std::string>> setters(const std::vector<std::string>& texts);

/// Reads a workflow with the parameters, profile and site file that count. Mistakes in it go to
/// `diagnostics`.
Workflow parse_source(const Arguments& arguments, const SourceFile& source, Diagnostics& diagnostics);

/// Reads the workflow file that the user named with the parameters, profile and site file that count.
/// Mistakes in it go to `diagnostics`. Throws UsageError when a file cannot be read or --set is misspelt.
Workflow parse_named_workflow(const Arguments& arguments, const std::string& file, Diagnostics& diagnostics);

/// The same; shows the mistakes on stderr (with --json as a value on stdout) and gives nothing when there are
/// errors.
std::optional<Workflow> load_workflow(const Arguments& arguments, const std::string& file);

Json to_json(const Diagnostics& diagnostics);

}  // namespace kernmill::cli
