#pragma once
#include <string>
#include <vector>

#include "kernmill/plan/plan.hpp"
#include "kernmill/run/journal.hpp"

namespace kernmill::exec {

/// The instances that this one waits for, by stage.
std::vector<std::vector<InstanceId>> parents_of(const Plan& plan, InstanceId id);

/// What an instance may do, by what the journal says of its parents.
enum class Standing {
  may_run,
  skipped,    ///< its parents were
  blocked,    ///< a parent has failed
  unsettled,  ///< a parent has not ended, as far as the journal says
};

/// Whether every parent has committed: then nothing else has to be looked at.
bool all_committed(const Plan& plan, InstanceId id, const RunRecord& of_parents);
/// Whether every parent has committed, failed for good or was skipped, by its own records.
bool all_settled(const Plan& plan, InstanceId id, const RunRecord& of_parents);
/// By the whole journal. Of a stage that is waited for as a whole, as many instances as its max_fails may
/// lack a commit; of the trials of a tune stage, at least one must have it.
Standing standing(const Plan& plan, InstanceId id, const RunRecord& record);

/// "its parents have not finished: ..."
std::string why_unsettled(const Plan& plan, InstanceId id, const RunRecord& record);

}  // namespace kernmill::exec
