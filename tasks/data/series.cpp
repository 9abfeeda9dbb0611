#include "kernmill/tasks/data/series.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

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

void append_sample(const storage::Series& series, std::span<const double> rows, std::uint64_t target_row,
                   Samples& samples) {
  const std::uint64_t columns = series.columns.size();
  const std::uint64_t needed = rows_before_target(series) + 1 - series.horizon;
  const std::uint64_t last = target_row - series.horizon;
  append_window(series, rows.subspan((last + 1 - needed) * columns, needed * columns), samples.features);
  for (std::uint64_t c = 0; c < columns; ++c) {
    const double before = rows[last * columns + c], at = rows[target_row * columns + c];
    samples.before.push_back(before);
    samples.at.push_back(at);
    samples.target.push_back(transformed(series.transform, before, at));
  }
}

}  // namespace

double transformed(const std::string& transform, double before, double after) {
  if (transform == "log_return") return std::log(after / before);
  return transform == "difference" ? after - before : after;
}

double restored(const std::string& transform, double before, double value) {
  if (transform == "log_return") return before * std::exp(value);
  return transform == "difference" ? before + value : value;
}

std::uint64_t rows_before_target(const storage::Series& series) {
  const std::uint64_t for_changes = series.transform == "none" ? 0 : 1;
  return series.window + for_changes + series.horizon - 1;
}

void append_window(const storage::Series& series, std::span<const double> levels,
                   std::vector<double>& features) {
  const std::uint64_t columns = series.columns.size();
  const std::uint64_t first = series.transform == "none" ? 0 : 1;
  for (std::uint64_t row = first; row < series.window + first; ++row)
    for (std::uint64_t c = 0; c < columns; ++c)
      features.push_back(
          transformed(series.transform, levels[(row - first) * columns + c], levels[row * columns + c]));
}

std::vector<std::string> window_feature_names(const storage::Series& series) {
  std::vector<std::string> names;
  for (std::int64_t lag = 1 - std::int64_t{series.window}; lag <= 0; ++lag)
    for (const auto& column : series.columns) names.push_back(fmt::format("{}[{}]", column, lag));
  return names;
}

Samples make_windows(const Communicator& comm, const storage::Series& series, const TableShare& table) {
  const std::uint64_t columns = series.columns.size(), needed = rows_before_target(series);
  if (table.total_rows <= needed)
    throw TaskError(fmt::format("the input has {} rows; a window of {} with horizon {} needs at least {}",
                                table.total_rows, series.window, series.horizon, needed + 1),
                    {}, "use a smaller window, or more data");
  std::vector<double> rows = rows_in_front(comm, table.numbers, columns, needed);
  const std::uint64_t in_front = rows.size() / columns;
  rows.insert(rows.end(), table.numbers.begin(), table.numbers.end());

  Samples samples;
  samples.feature_count = series.window * columns;
  samples.target_count = columns;
  samples.total = table.total_rows - needed;
  for (std::uint64_t i = 0; i < table.rows(); ++i) {
    if (table.row_numbers[i] < needed) continue;
    append_sample(series, rows, in_front + i, samples);
    samples.row_numbers.push_back(table.row_numbers[i]);
  }
  samples.first = comm.exscan(samples.count());
  return samples;
}

}  // namespace kernmill::tasks
