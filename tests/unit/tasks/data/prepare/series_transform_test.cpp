#include "kernmill/tasks/data/prepare/series_transform.hpp"

#include <gtest/gtest.h>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

storage::Series series_with(std::string_view word) {
  storage::Series series;
  series.transform = word;
  return series;
}

TEST(SeriesTransform, IsUndoneByItsInverse) {
  for (const auto& [word, transform] : series_transforms)
    EXPECT_DOUBLE_EQ(restored(transform, 5, transformed(transform, 5, 8)), 8) << word;
}

TEST(SeriesTransform, IsFoundInAFileByItsWord) {
  for (const auto& [word, transform] : series_transforms) {
    EXPECT_EQ(word_of(transform), word);
    EXPECT_EQ(transform_of(series_with(word)), transform);
  }
  EXPECT_THROW(transform_of(series_with("wavelet")), TaskError);
}

}  // namespace
}  // namespace kernmill::tasks
