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
                                                const std::vector<double>& fills,
                                                const std::vector<bool>& summed) {
  const std::size_t columns = fills.size();
  std::vector<ColumnStatistics> all(columns);
  std::vector<ExactSum> sums(columns);
  std::vector<std::size_t> with_sum;
  std::uint64_t seen = 0;
  for (std::size_t c = 0; c < columns; ++c)
    if (summed[c]) with_sum.push_back(c);
  rows([&](const double* row) {
    for (std::size_t c = 0; c < columns; ++c) {
      const double x = std::isnan(row[c]) ? fills[c] : row[c];
      ColumnStatistics& own = all[c];
      own.missing += std::isnan(x) ? 1 : 0;
      own.lowest = x < own.lowest ? x : own.lowest;  // not with a NaN
      own.highest = x > own.highest ? x : own.highest;
    }
    for (const std::size_t c : with_sum)
      if (const double x = std::isnan(row[c]) ? fills[c] : row[c]; !std::isnan(x)) sums[c].add(x);
    ++seen;
  });
  for (auto& own : all) own.count = seen - own.missing;
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
                               const std::vector<ColumnStatistics>& statistics,
                               const std::vector<std::size_t>& columns) {
  std::vector<ExactSum> sums(columns.size());
  rows([&](const double* row) {
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const std::size_t c = columns[k];
      const double difference = (std::isnan(row[c]) ? fills[c] : row[c]) - statistics[c].mean;
      if (const double square = difference * difference; std::isfinite(square)) sums[k].add(square);
    }
  });
  std::vector<double> squares = values_of(comm, sums);
  for (std::size_t k = 0; k < columns.size(); ++k)
    squares[k] =
        std::sqrt(squares[k] / static_cast<double>(std::max<std::uint64_t>(statistics[columns[k]].count, 1)));
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
