#pragma once
#include <functional>
#include <span>

#include "kernmill/storage/dataset/encoding.hpp"
#include "kernmill/storage/model/model.hpp"
#include "kernmill/tasks/kinds/task.hpp"

namespace kernmill::tasks {

/// What deploying needs of a model: rows x d scaled features to rows x outputs scores. See Predictor.
struct Scorer {
  std::function<void(std::span<const double> features, std::uint64_t rows, std::span<double> scores)> score;
  std::size_t outputs = 1;
  bool gives_probabilities = false;
  /// As `score`, of sparse rows of d columns; for models that were trained on such.
  std::function<void(const storage::SparseRows& rows, std::span<double> scores)> score_sparse{};
};

/// Predicts every row of `inputs.input`, each rank its part, in the order of the input. Columns are matched
/// by name. A series gets one row: the level of each column `horizon` rows after the last.
Result deploy(const Spec& spec, const Communicator& comm, const storage::Schema& schema,
              const Scorer& scorer);

}  // namespace kernmill::tasks
