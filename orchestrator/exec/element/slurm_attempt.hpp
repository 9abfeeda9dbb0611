#pragma once
#include "kernmill/exec/element/element_context.hpp"

namespace kernmill::exec {

/// Makes one attempt at one instance, the one that this start of the element's job stands for, and settles
/// what follows from its end. Returns an exit status.
int run_slurm_attempt(const ElementContext& context, InstanceId id, JournalWriter& journal,
                      StopRequests& stop);

}  // namespace kernmill::exec
