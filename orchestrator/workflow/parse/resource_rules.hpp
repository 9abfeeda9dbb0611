#pragma once
#include "kernmill/workflow/text/diagnostic.hpp"
#include "kernmill/workflow/workflow.hpp"

namespace kernmill {

/// Resources of a stage that contradict each other, whatever the cluster. Those that a matrix gives are not
/// judged.
void check_resources(const Stage& stage, Diagnostics& diagnostics);

}  // namespace kernmill
