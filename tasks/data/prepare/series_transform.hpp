#pragma once
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "kernmill/storage/dataset/schema.hpp"

namespace kernmill::tasks {

/// How a model sees the numbers of a series: as they are, or as changes from one to another.
enum class SeriesTransform { none, difference, log_return };

/// What they are called in settings and in files.
inline constexpr std::array<std::pair<std::string_view, SeriesTransform>, 3> series_transforms{
    {{"none", SeriesTransform::none},
     {"difference", SeriesTransform::difference},
     {"log_return", SeriesTransform::log_return}}};
std::string word_of(SeriesTransform transform);
/// That of the series in a file. Throws TaskError when this program does not know it.
SeriesTransform transform_of(const storage::Series& series);

/// How far `after` lies from `before` as the model sees it: their difference, log(after / before), or `after`
/// itself for none.
double transformed(SeriesTransform transform, double before, double after);
/// The inverse: what `value` says that comes after `before`.
double restored(SeriesTransform transform, double before, double value);

}  // namespace kernmill::tasks
