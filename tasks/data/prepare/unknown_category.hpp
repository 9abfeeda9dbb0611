#pragma once
#include "kernmill/tasks/data/prepare/fit.hpp"

namespace kernmill::tasks {

/// Collective. Throws TaskError for the first sample that has a category which no training row has, where the
/// plan of its column does not let that be: which, and where it stands in the input, which is read again for
/// that. `missing` is the setting.
void refuse_unknown_categories(const Communicator& comm, const Input& input,
                               const std::vector<std::string>& missing, const Samples& samples,
                               const std::vector<ColumnPlan>& plans, const Fitted& fitted);

}  // namespace kernmill::tasks
