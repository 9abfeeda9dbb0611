#pragma once
#include <vector>

#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/learn/rows/rows.hpp"

namespace kernmill::tasks {

/// All rows that a model is trained on, on every rank.
struct TrainingRows {
  std::vector<double> features;  ///< rows x d; sparse rows with their zeros
  std::vector<std::size_t> labels;
  std::vector<double> weights;  ///< empty: each row counts once
};

/// Collective. Throws TaskError where they take more than `memory` bytes.
TrainingRows gather_training_rows(const Communicator& comm, const Rows& rows, std::uint64_t memory);

}  // namespace kernmill::tasks
