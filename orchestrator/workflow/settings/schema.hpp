#pragma once
#include <string>

#include "kernmill/workflow/value/value.hpp"

namespace kernmill {

/// The JSON schema of a workflow file, made from the tables of settings: workflows/kernmill.schema.json.
Json workflow_schema();

/// Tables of every key in Markdown, made from the same: the second part of workflows/README.md.
std::string key_reference();

}  // namespace kernmill
