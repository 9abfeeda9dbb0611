#include "kernmill/tasks/data/prepare/series.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include <fmt/format.h>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

/// The last rows of this rank, as many as `wanted` where there are so many.
std::vector<double> last_rows(const RawTable& table, std::uint64_t columns, std::uint64_t wanted) {
  std::vector<double> last;
  const std::uint64_t stride = table.rows.width();
  table.rows.each_block([&](std::uint64_t first, std::span<const double> rows) {
    for (std::uint64_t i = 0; i < rows.size() / stride; ++i)
      if (first + i + wanted >= table.rows.rows()) {
        const auto row = rows.subspan(i * stride, columns);
        last.insert(last.end(), row.begin(), row.end());
      }
  });
  return last;
}

/// The rows in front of this rank's, as many as `wanted` where there are so many. Ranks pass them on from the
/// lowest, since a rank may have fewer rows than the next one needs.
std::vector<double> rows_in_front(const Communicator& comm, const std::vector<double>& own,
                                  std::uint64_t columns, std::uint64_t wanted) {
  std::vector<double> front;
  if (comm.rank() > 0) {
    std::uint64_t length = 0;
    comm.receive(std::span(&length, 1), comm.rank() - 1);
    front.resize(length);
    comm.receive(std::span(front), comm.rank() - 1);
  }
  if (comm.rank() + 1 < comm.size()) {
    const std::uint64_t most = wanted * columns;
    std::vector<double> last = front;
    last.insert(last.end(), own.begin(), own.end());
    if (last.size() > most) last.erase(last.begin(), last.end() - static_cast<std::ptrdiff_t>(most));
    const std::uint64_t length = last.size();
    comm.send(std::span<const std::uint64_t>(&length, 1), comm.rank() + 1);
    comm.send(std::span<const double>(last), comm.rank() + 1);
  }
  return front;
}

/// The sample with its target in the last of `rows`: features, target, levels before and at it, row number.
void append_sample(const storage::Series& series, std::span<const double> rows, std::uint64_t row_number,
                   std::vector<double>& sample) {
  const std::uint64_t columns = series.columns.size();
  const std::uint64_t needed = rows_before_target(series) + 1 - series.horizon;
  const std::uint64_t target_row = rows.size() / columns - 1, last = target_row - series.horizon;
  append_window(series, rows.subspan((last + 1 - needed) * columns, needed * columns), sample);
  const auto before = rows.subspan(last * columns, columns), at = rows.subspan(target_row * columns, columns);
  const SeriesTransform transform = transform_of(series);
  for (std::uint64_t c = 0; c < columns; ++c) sample.push_back(transformed(transform, before[c], at[c]));
  sample.insert(sample.end(), before.begin(), before.end());
  sample.insert(sample.end(), at.begin(), at.end());
  sample.push_back(static_cast<double>(row_number));
}

/// How many rows each feature row lies behind the last one, oldest first.
std::vector<std::uint32_t> lags_of(const storage::Series& series) {
  std::vector<std::uint32_t> lags = series.lags;
  if (lags.empty()) {
    lags.resize(series.window);
    std::iota(lags.begin(), lags.end(), std::uint32_t{0});
  }
  std::sort(lags.begin(), lags.end(), std::greater<>());
  return lags;
}

}  // namespace

std::uint64_t rows_before_target(const storage::Series& series) {
  const std::uint64_t for_changes = transform_of(series) == SeriesTransform::none ? 0 : 1;
  return series.window + for_changes + series.horizon - 1;
}

void append_window(const storage::Series& series, std::span<const double> levels,
                   std::vector<double>& features) {
  const std::uint64_t columns = series.columns.size();
  const SeriesTransform transform = transform_of(series);
  const std::uint64_t first = transform == SeriesTransform::none ? 0 : 1;
  for (const std::uint32_t lag : lags_of(series)) {
    const std::uint64_t row = first + series.window - 1 - lag;
    for (std::uint64_t c = 0; c < columns; ++c)
      features.push_back(
          transformed(transform, levels[(row - first) * columns + c], levels[row * columns + c]));
  }
}

std::vector<std::string> window_feature_names(const storage::Series& series) {
  std::vector<std::string> names;
  for (const std::uint32_t lag : lags_of(series))
    for (const auto& column : series.columns)
      names.push_back(fmt::format("{}[{}]", column, -std::int64_t{lag}));
  return names;
}

Samples make_windows(const Communicator& comm, const storage::Series& series, const RawTable& table,
                     const Buffer& buffer) {
  const std::uint64_t columns = series.columns.size(), needed = rows_before_target(series);
  if (table.total_rows <= needed)
    throw TaskError(fmt::format("the input has {} rows; a window of {} with horizon {} needs at least {}",
                                table.total_rows, series.window, series.horizon, needed + 1),
                    {}, "use a smaller window, or more data");
  // The rows that a sample needs, the target's the last; they slide over this rank's.
  std::vector<double> rows = rows_in_front(comm, last_rows(table, columns, needed), columns, needed);
  Samples samples;
  samples.layout = {lags_of(series).size() * columns, columns, true, false};
  samples.rows = RowStore(samples.layout.width(), buffer);
  samples.read_rows = table.total_rows;
  samples.total = table.total_rows - needed;
  comm.agree([&] {
    std::vector<double> sample;
    table.rows.each_block([&](std::uint64_t first, std::span<const double> block) {
      for (std::uint64_t i = 0; i < block.size() / table.rows.width(); ++i) {
        const auto row = block.subspan(i * table.rows.width(), columns);
        rows.insert(rows.end(), row.begin(), row.end());
        const std::uint64_t number = table.first_row + first + i;
        if (number < needed) continue;
        const std::uint64_t in_front = rows.size() / columns - 1 - needed;
        sample.clear();
        append_sample(series, std::span(rows).subspan(in_front * columns), number, sample);
        samples.rows.append(sample);
        if (in_front > needed)
          rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(in_front * columns));
      }
    });
  });
  samples.first = comm.exscan(samples.count());
  return samples;
}

}  // namespace kernmill::tasks
