#pragma once
#include <vector>

#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/data/store/row_store.hpp"

namespace kernmill::tasks {

/// Collective. The area under the receiver operating characteristic of each class against the others: the
/// probability that a row of the class has a higher score for it than another row, equal scores counting half
/// (Mann and Whitney 1947). Of two classes both have the area of the second. NaN where a class has no rows,
/// or all of them, or a score is no number.
///
/// `judged` holds this rank's rows: the true class, then a score for each class. Pairs are counted exactly,
/// by a sort over all ranks, so the bits do not depend on their number. Memory: about 40 bytes for each of
/// the rows that a rank has in an even share, for one class at a time.
std::vector<double> roc_auc(const Communicator& comm, const RowStore& judged, bool probabilities);

}  // namespace kernmill::tasks
