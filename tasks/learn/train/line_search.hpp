#pragma once
#include <vector>

#include "kernmill/tasks/learn/train/objective.hpp"

namespace kernmill::tasks {

/// Where a line search begins: the objective's last point with curvature, the value of each block there, and
/// its slope.
struct LineStart {
  const std::vector<double>& x;
  const std::vector<double>&values, &slopes;
};

/// How far to go along a direction, block by block; the blocks share the evaluations. Of a convex objective:
/// a length is taken where the slope is no more than a quarter of what it was and the value is lower, and
/// looked for by doubling and by the secant of the slopes. 0 where rounding hides what there is to gain.
/// Collective.
std::vector<double> search_lengths(Objective& objective, const LineStart& start,
                                   const std::vector<double>& direction);

}  // namespace kernmill::tasks
