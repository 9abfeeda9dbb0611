#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernmill/storage/dataset/schema.hpp"
#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/data/prepare/samples.hpp"
#include "kernmill/tasks/data/prepare/series_transform.hpp"

namespace kernmill::tasks {

/// The rows that a window needs in front of its target's row, that row not counted.
std::uint64_t rows_before_target(const storage::Series& series);

/// The window's features, flattened, oldest first, of the series' lags alone where there are some: levels are
/// the rows_before_target rows (x columns) that end `horizon` rows before the target.
void append_window(const storage::Series& series, std::span<const double> levels,
                   std::vector<double>& features);

/// Collective. Windows over the ranks' rows; a sample lies with the rank that has its target's row. The
/// target is the change over the whole horizon, so that the level before and the target give the level at it.
Samples make_windows(const Communicator& comm, const storage::Series& series, const RawTable& table,
                     const Buffer& buffer);

/// "DAX[-9]" ... "DAX[0]": the features of a window, in order.
std::vector<std::string> window_feature_names(const storage::Series& series);

}  // namespace kernmill::tasks
