#pragma once
#include <vector>

#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/tasks/data/prepare/samples.hpp"

namespace kernmill::tasks {

/// The fitted preprocessing (see transform.hpp), and the columns that it starts from.
struct Fitted {
  std::vector<storage::InputColumn> inputs;
  std::vector<storage::Step> steps;
  std::vector<bool> has_unknown;  ///< by input: whether there are categories that no training sample has
};

/// Collective. Fits what `plans` say for each input column, in their order: imputing, then encoding, then
/// scaling, then names. Only training samples count. Sums are exact and order statistics are found exactly,
/// so the number of ranks changes no bit. Categories become indices into those of the training samples in
/// `samples`; the indices of those that only others have follow.
///
/// mean, deviation (of the population), quartiles and medians are those of scikit-learn's SimpleImputer,
/// StandardScaler, MinMaxScaler and RobustScaler; a deviation or range of zero becomes 1. Throws TaskError
/// for a column without a value, and for numbers too large to be squared.
Fitted fit(const Communicator& comm, Samples& samples, const std::vector<storage::Part>& parts,
           const std::vector<ColumnPlan>& plans);

}  // namespace kernmill::tasks
