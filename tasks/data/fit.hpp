#pragma once
#include <vector>

#include "kernmill/storage/dataset.hpp"
#include "kernmill/tasks/data/samples.hpp"

namespace kernmill::tasks {

/// The fitted preprocessing (see transform.hpp), and the columns that it starts from.
struct Fitted {
  std::vector<storage::InputColumn> inputs;
  std::vector<storage::Step> steps;
};

/// Collective. Fits what `plans` say for each input column, in their order: imputing, then encoding, then
/// scaling, then names. Only training samples count. Sums are exact and order statistics are found exactly,
/// so the number of ranks changes no bit. Categories become indices into those of the training samples in
/// `samples`; `strange` gets those that only other samples have, whose indices follow.
///
/// mean, deviation (of the population), quartiles and medians are those of scikit-learn's SimpleImputer,
/// StandardScaler, MinMaxScaler and RobustScaler; a deviation or range of zero becomes 1. Throws TaskError
/// for a column without a value, and for numbers too large to be squared.
Fitted fit(const Communicator& comm, Samples& samples, const std::vector<storage::Part>& parts,
           const std::vector<ColumnPlan>& plans, std::vector<std::vector<std::string>>& strange);

}  // namespace kernmill::tasks
