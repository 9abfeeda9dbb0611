#include "kernmill/tasks/learn/train/line_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kernmill::tasks {
namespace {

/// Where a block's step length is looked for, and whether it has been found.
struct Bracket {
  double low = 0, high = std::numeric_limits<double>::infinity(), length = 1;
  bool found = false;
};

/// Takes the bracket's length, or moves it on, by the value and the slope there.
void judge(Bracket& b, double value, double slope, double first_value, double first_slope) {
  constexpr double armijo = 1e-4, level = 0.25, noise = 1e-13, inside = 0.05;
  const bool fits = value <= first_value + armijo * b.length * first_slope + noise * std::abs(first_value);
  b.found = fits && std::abs(slope) <= level * std::abs(first_slope);
  if (b.found) return;
  (fits && slope < 0 ? b.low : b.high) = b.length;
  if (std::isinf(b.high)) {
    b.length *= 2;
    return;
  }
  // Where the slope's line through 0 and here meets zero, but well inside.
  const double zero = std::isfinite(slope) ? b.length * first_slope / (first_slope - slope) : b.low;
  const double margin = inside * (b.high - b.low);
  b.length = std::clamp(zero, b.low + margin, b.high - margin);
}

}  // namespace

std::vector<double> search_lengths(Objective& objective, const LineStart& start,
                                   const std::vector<double>& direction) {
  constexpr int most_trials = 30;
  constexpr double noise = 1e-14;
  const std::size_t blocks = start.values.size();
  std::vector<Bracket> brackets(blocks);
  for (std::size_t j = 0; j < blocks; ++j)
    if (!(-0.5 * start.slopes[j] > noise * std::abs(start.values[j]))) brackets[j] = {0, 0, 0, true};
  const auto all_found = [&] {
    return std::all_of(brackets.begin(), brackets.end(), [](const Bracket& b) { return b.found; });
  };
  std::vector<double> lengths(blocks);
  if (!all_found()) objective.begin_line(start.x, direction);
  for (int trial = 0; trial < most_trials && !all_found(); ++trial) {
    for (std::size_t j = 0; j < blocks; ++j) lengths[j] = brackets[j].length;
    const LinePoint at = objective.on_line(lengths);
    for (std::size_t j = 0; j < blocks; ++j)
      if (!brackets[j].found)
        judge(brackets[j], at.values[j], at.slopes[j], start.values[j], start.slopes[j]);
  }
  for (std::size_t j = 0; j < blocks; ++j)
    lengths[j] = brackets[j].found ? brackets[j].length : brackets[j].low;
  return lengths;
}

}  // namespace kernmill::tasks
