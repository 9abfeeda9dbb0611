#pragma once
#include <string>

#include "kernmill/exec/element/element_context.hpp"

namespace kernmill::exec {

/// The attempt before this one in the same job, when it has left no last word and the batch system says that
/// its node is down: journals that the node ended it.
void settle_lost_attempt(const ElementContext& context, InstanceId id, const RunRecord& record,
                         JournalWriter& journal);

/// What the next start of an element's job is to exclude, its own nodes to avoid among it: nodes that are bad
/// by what this stage's attempts say (of a large stage, those of a few hundred elements), as long as it can
/// run without them. `cause`: why the last attempt ended; after most causes nothing is read.
std::string nodes_to_avoid(const ElementContext& context, InstanceId id, Cause cause);

}  // namespace kernmill::exec
