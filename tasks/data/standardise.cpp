#include "kernmill/tasks/data/standardise.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "kernmill/tasks/data/exact_sum.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

/// Column sums over all ranks of what `term` makes of each value.
template <class Term>
std::vector<double> column_sums(const Communicator& comm, std::span<const double> rows, std::size_t columns,
                                const Term& term) {
  std::vector<ExactSum> sums(columns);
  for (std::size_t i = 0; i < rows.size(); ++i) sums[i % columns].add(term(rows[i], i % columns));
  std::vector<double> values;
  for (ExactSum& sum : sums) {
    comm.allreduce(sum.digits(), Reduction::sum);
    values.push_back(sum.value());
  }
  return values;
}

struct Range {
  std::vector<double> lowest, highest;
};

Range range_of(const Communicator& comm, std::span<const double> rows, std::size_t columns) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Range range{std::vector<double>(columns, infinity), std::vector<double>(columns, -infinity)};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    range.lowest[i % columns] = std::min(range.lowest[i % columns], rows[i]);
    range.highest[i % columns] = std::max(range.highest[i % columns], rows[i]);
  }
  comm.allreduce(std::span(range.lowest), Reduction::min);
  comm.allreduce(std::span(range.highest), Reduction::max);
  return range;
}

constexpr double largest = 1e150;  // its square, and sums of such squares, stay finite

}  // namespace

Scaling fit_scaling(const Communicator& comm, std::span<const double> rows,
                    const std::vector<std::string>& columns) {
  const std::size_t d = columns.size();
  const Range range = range_of(comm, rows, d);
  for (std::size_t c = 0; c < d; ++c)
    if (range.lowest[c] < -largest || range.highest[c] > largest)
      throw TaskError(
          fmt::format("column '{}' holds numbers beyond 1e150, which cannot be standardised", columns[c]), {},
          "drop the column, or use another scale for it");
  const std::uint64_t n = comm.allreduce(std::uint64_t{rows.size() / d}, Reduction::sum);
  Scaling scaling{column_sums(comm, rows, d, [](double x, std::size_t) { return x; }), {}};
  for (std::size_t c = 0; c < d; ++c)  // within the range, so that a constant column has no deviation at all
    scaling.mean[c] = std::clamp(scaling.mean[c] / static_cast<double>(n), range.lowest[c], range.highest[c]);
  scaling.scale = column_sums(
      comm, rows, d, [&](double x, std::size_t c) { return (x - scaling.mean[c]) * (x - scaling.mean[c]); });
  for (double& scale : scaling.scale) {
    scale = std::sqrt(scale / static_cast<double>(n));
    if (scale == 0) scale = 1;
  }
  return scaling;
}

void apply_scaling(std::span<const double> mean, std::span<const double> scale, std::span<double> rows) {
  for (std::size_t i = 0; i < rows.size(); ++i)
    rows[i] = (rows[i] - mean[i % mean.size()]) / scale[i % scale.size()];
}

storage::Step scaling_step(const Scaling& scaling, const std::vector<std::string>& columns) {
  storage::Step step{"scale", columns, scaling.mean, {}};
  step.numbers.insert(step.numbers.end(), scaling.scale.begin(), scaling.scale.end());
  return step;
}

void apply_steps(const std::vector<storage::Step>& steps, std::span<double> rows) {
  for (const storage::Step& step : steps) {
    if (step.kind != "scale")
      throw TaskError(fmt::format("the preprocessing step '{}' is unknown", step.kind));
    const std::span<const double> numbers(step.numbers);
    apply_scaling(numbers.first(step.columns.size()), numbers.last(step.columns.size()), rows);
  }
}

}  // namespace kernmill::tasks
