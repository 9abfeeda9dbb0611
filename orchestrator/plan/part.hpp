#pragma once
#include <string>
#include <vector>

#include "kernmill/workflow/workflow.hpp"

namespace kernmill {

/// What is left of a workflow when only these stages are wanted: they, and all that they wait for, at any
/// distance.
Workflow with_what_they_need(const Workflow& workflow, const std::vector<std::string>& stages);

/// The workflow in which nobody waits for the stage that does not read what it leaves.
Workflow without_order_after(const Workflow& workflow, const std::string& stage);

}  // namespace kernmill
