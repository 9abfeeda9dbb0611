#include "kernmill/tasks/models/predictor.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {

void require_features(const storage::SparseRows& rows, std::uint64_t features) {
  const auto beyond = std::find_if(rows.columns.begin(), rows.columns.end(),
                                   [&](std::uint32_t column) { return column >= features; });
  if (beyond == rows.columns.end()) return;
  throw TaskError(fmt::format("a row has a value of feature {}, and the model has {}",
                              std::uint64_t{*beyond} + 1, features),
                  {}, "predict rows with the features that it was trained on");
}

}  // namespace kernmill::tasks
