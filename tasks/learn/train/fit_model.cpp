#include <fmt/format.h>

#include "kernmill/tasks/learn/train/fit.hpp"
#include "kernmill/tasks/models/registry.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {

Fit fit_model(const Json& config, const FitData& data, Session& session) {
  if (data.rows.count() == 0)
    throw TaskError("there are no rows to train on", {}, "look at the split of the preprocess stage");
  const ModelKind& kind = model_kind_of(config);
  if (!kind.needs_target() && !data.rows.schema().series.transform.empty())
    throw TaskError(fmt::format("a {} takes rows, and these are windows of a series", kind.type), {},
                    "leave `series` out of the preprocess stage");
  return kind.fit(config, data, session);
}

}  // namespace kernmill::tasks
