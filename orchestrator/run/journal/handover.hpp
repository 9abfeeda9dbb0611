#pragma once
#include <string>

#include "kernmill/plan/plan.hpp"
#include "kernmill/run/journal/commit_table.hpp"

namespace kernmill {

/// What an attempt has to know of the run's journal, as lines of one (`fold_lines` reads them): the commits
/// that the instance may refer to, which are few however many instances there are. Their conductor has
/// decided that it may run, so what else its parents did is not among them.
std::string handover(const Plan& plan, InstanceId id, const CommitTable& commits);

/// That an attempt of the instance has started, in the same form.
std::string handover_of_start(const Plan& plan, InstanceId id, unsigned attempt);

}  // namespace kernmill
