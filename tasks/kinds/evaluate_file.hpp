#pragma once
#include "kernmill/tasks/kinds/task.hpp"
#include "kernmill/tasks/learn/score/scores.hpp"

namespace kernmill::tasks {

/// What a model makes of the rows of a file that was never in a dataset.
struct JudgedFile {
  ClassScores classes;   ///< of a model that predicts classes
  NumberScores numbers;  ///< of one that predicts numbers
  RowStore judged;       ///< of classes: this rank's rows, the true class and the scores
  Result result;         ///< counts and artifacts beside the scores
};

/// Collective. Reads `inputs.input` as deploy does, and the model's target column with it. The same bits on
/// any number of ranks.
JudgedFile judge_file(const Spec& spec, const Communicator& comm, const storage::Schema& schema,
                      const Predictor& predictor);

}  // namespace kernmill::tasks
