#pragma once
#include "kernmill/storage/model/model.hpp"
#include "kernmill/tasks/kinds/task.hpp"
#include "kernmill/tasks/models/predictor.hpp"

namespace kernmill::tasks {

/// Predicts every row of `inputs.input`, each rank its part, in the order of the input. Columns are matched
/// by name. A series gets one row: the level of each column `horizon` rows after the last.
Result deploy(const Spec& spec, const Communicator& comm, const storage::Schema& schema,
              const Predictor& predictor);

}  // namespace kernmill::tasks
