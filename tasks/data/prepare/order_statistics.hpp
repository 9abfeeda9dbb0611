#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kernmill/tasks/comm/communicator.hpp"

namespace kernmill::tasks {

/// Calls back with each of this rank's rows, the same ones every time it is asked.
using EachRow = std::function<void(const std::function<void(const double* row)>&)>;

/// Of the numbers in a column of the rows of all ranks, `fill` in the place of NaN (a NaN `fill`: those are
/// left out), of which there are `count` (more than none): the quantile `q`, between neighbours by linear
/// interpolation, as numpy.quantile has it.
struct Quantile {
  std::size_t column = 0;
  double fill = 0;
  std::uint64_t count = 0;
  double q = 0.5;
};

/// Collective. Exact, whatever the number of ranks: the order statistics are found bit by bit, in a few
/// passes over the rows, in memory that does not depend on their number.
std::vector<double> quantiles(const Communicator& comm, const EachRow& rows,
                              std::span<const Quantile> wanted);

}  // namespace kernmill::tasks
