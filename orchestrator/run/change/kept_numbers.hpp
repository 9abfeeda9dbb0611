#pragma once
#include <string>
#include <vector>

#include "kernmill/plan/plan.hpp"
#include "kernmill/run/journal/journal.hpp"

/// Private to run/change.
namespace kernmill {

/// Lets the combinations of edited matrices have the numbers that they had, and new ones those that follow,
/// so that what the journal says of an instance stays true. Why that cannot be, for each instance that has
/// begun and would be another one.
std::vector<std::string> keep_numbers(const Plan& before, Workflow& after, const RunRecord& record);

}  // namespace kernmill
