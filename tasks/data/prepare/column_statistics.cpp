#include "kernmill/tasks/data/prepare/column_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace kernmill::tasks {
namespace {

std::vector<double> values_of(const Communicator& comm, std::vector<ExactSum>& sums) {
  std::vector<std::int64_t> digits;
  for (ExactSum& sum : sums) {
    const auto own = sum.digits();
    digits.insert(digits.end(), own.begin(), own.end());
  }
  comm.allreduce(std::span(digits), Reduction::sum);
  std::vector<double> values;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    std::copy_n(digits.begin() + static_cast<std::ptrdiff_t>(i * ExactSum::size), ExactSum::size,
                sums[i].digits().begin());
    values.push_back(sums[i].value());
  }
  return values;
}

}  // namespace

std::vector<ColumnStatistics> column_statistics(const Communicator& comm, const EachRow& rows,
                                                const std::vector<double>& fills) {
  const std::size_t columns = fills.size();
  std::vector<ColumnStatistics> all(columns);
  std::vector<ExactSum> sums(columns);
  rows([&](const double* row) {
    for (std::size_t c = 0; c < columns; ++c) {
      const double x = std::isnan(row[c]) ? fills[c] : row[c];
      if (std::isnan(x)) {
        ++all[c].missing;
        continue;
      }
      ++all[c].count;
      all[c].lowest = std::min(all[c].lowest, x);
      all[c].highest = std::max(all[c].highest, x);
      sums[c].add(x);
    }
  });
  std::vector<std::uint64_t> counts;
  std::vector<double> lowest, highest;
  for (const auto& own : all) {
    counts.insert(counts.end(), {own.count, own.missing});
    lowest.push_back(own.lowest);
    highest.push_back(own.highest);
  }
  comm.allreduce(std::span(counts), Reduction::sum);
  comm.allreduce(std::span(lowest), Reduction::min);
  comm.allreduce(std::span(highest), Reduction::max);
  const auto totals = values_of(comm, sums);
  for (std::size_t c = 0; c < columns; ++c) {
    ColumnStatistics& column = all[c];
    column = {counts[2 * c], counts[2 * c + 1], lowest[c], highest[c], 0};
    if (column.count > 0)
      column.mean = std::clamp(totals[c] / static_cast<double>(column.count), column.lowest, column.highest);
  }
  return all;
}

std::vector<double> deviations(const Communicator& comm, const EachRow& rows,
                               const std::vector<double>& fills,
                               const std::vector<ColumnStatistics>& statistics) {
  const std::size_t columns = fills.size();
  std::vector<ExactSum> sums(columns);
  rows([&](const double* row) {
    for (std::size_t c = 0; c < columns; ++c) {
      const double difference = (std::isnan(row[c]) ? fills[c] : row[c]) - statistics[c].mean;
      if (const double square = difference * difference; std::isfinite(square)) sums[c].add(square);
    }
  });
  std::vector<double> squares = values_of(comm, sums);
  for (std::size_t c = 0; c < columns; ++c)
    squares[c] = std::sqrt(squares[c] / static_cast<double>(std::max<std::uint64_t>(statistics[c].count, 1)));
  return squares;
}

double most_frequent_number(const Communicator& comm, const EachRow& rows, std::size_t column) {
  std::map<double, std::uint64_t> own;
  rows([&](const double* row) {
    if (!std::isnan(row[column])) ++own[row[column]];
  });
  std::vector<double> numbers;
  std::vector<std::uint64_t> counts;
  for (const auto& [number, count] : own) {
    numbers.push_back(number);
    counts.push_back(count);
  }
  numbers = comm.allgatherv(std::span<const double>(numbers));
  counts = comm.allgatherv(std::span<const std::uint64_t>(counts));
  std::map<double, std::uint64_t> all;
  for (std::size_t i = 0; i < numbers.size(); ++i) all[numbers[i]] += counts[i];
  const auto most = std::max_element(all.begin(), all.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == all.end() ? std::numeric_limits<double>::quiet_NaN() : most->first;
}

}  // namespace kernmill::tasks
