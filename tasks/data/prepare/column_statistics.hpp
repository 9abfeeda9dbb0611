#pragma once
#include <limits>
#include <vector>

#include "kernmill/tasks/data/prepare/exact_sum.hpp"
#include "kernmill/tasks/data/prepare/order_statistics.hpp"

namespace kernmill::tasks {

/// What the numbers of a column are like; NaN is a missing one and counts as such alone.
struct ColumnStatistics {
  std::uint64_t count = 0, missing = 0;
  double lowest = std::numeric_limits<double>::infinity(), highest = -std::numeric_limits<double>::infinity();
  double mean = 0;  ///< within the range, so that a constant column has no deviation at all
};

/// Collective. Of the first `columns` numbers of all ranks' rows, `fills` in the place of missing ones (NaN:
/// none). Exact sums: the same bits for any number of ranks. Only columns of `summed` have a mean.
std::vector<ColumnStatistics> column_statistics(const Communicator& comm, const EachRow& rows,
                                                const std::vector<double>& fills,
                                                const std::vector<bool>& summed);

/// Collective. The deviations of the population, two-pass, of these columns, whose means are known.
std::vector<double> deviations(const Communicator& comm, const EachRow& rows,
                               const std::vector<double>& fills,
                               const std::vector<ColumnStatistics>& statistics,
                               const std::vector<std::size_t>& columns);

/// Collective. The most frequent number of a column, the smallest of those that are equally so.
double most_frequent_number(const Communicator& comm, const EachRow& rows, std::size_t column);

}  // namespace kernmill::tasks
