#include "kernmill/tasks/data/prepare/series_transform.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {

std::string word_of(SeriesTransform transform) {
  const auto* const found = std::find_if(series_transforms.begin(), series_transforms.end(),
                                         [&](const auto& known) { return known.second == transform; });
  return std::string(found->first);
}

SeriesTransform transform_of(const storage::Series& series) {
  for (const auto& [word, transform] : series_transforms)
    if (series.transform == word) return transform;
  throw TaskError(fmt::format("the stored series has the transform '{}', which is unknown", series.transform),
                  {}, "was the file written by a newer Kernmill?");
}

double transformed(SeriesTransform transform, double before, double after) {
  if (transform == SeriesTransform::log_return) return std::log(after / before);
  return transform == SeriesTransform::difference ? after - before : after;
}

double restored(SeriesTransform transform, double before, double value) {
  if (transform == SeriesTransform::log_return) return before * std::exp(value);
  return transform == SeriesTransform::difference ? before + value : value;
}

}  // namespace kernmill::tasks
