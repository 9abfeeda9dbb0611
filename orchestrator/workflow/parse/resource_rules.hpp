#pragma once
#include "kernmill/workflow/text/diagnostic.hpp"
#include "kernmill/workflow/workflow.hpp"

namespace kernmill {

/// Resources of a stage that contradict each other, whatever the cluster. Those that a matrix gives are not
/// judged.
void check_resources(const Stage& stage, Diagnostics& diagnostics);

/// Whether a training's `parallel` shares as many ranks as it gets, where both are known.
void check_layout(const Stage& stage, Diagnostics& diagnostics);

}  // namespace kernmill
