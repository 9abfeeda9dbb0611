#pragma once
#include "kernmill/workflow/parse/draft.hpp"

namespace kernmill {

/// Checks what `{from: stages.X.NAME}` names, and lets the stage wait for X. Its results depend on the values
/// alone, not on all that X leaves: X is waited for, and no more (Stage::order_only), unless something else
/// refers to it, too.
void read_deciding_stages(const Draft& draft, StageDraft& stage);

}  // namespace kernmill
