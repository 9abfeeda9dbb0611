#include "kernmill/tasks/learn/train/fit.hpp"
#include "kernmill/tasks/models/registry.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {

Fit fit_model(const Json& config, const FitData& data, Session& session) {
  if (data.rows.count() == 0)
    throw TaskError("there are no rows to train on", {}, "look at the split of the preprocess stage");
  return model_kind_of(config).fit(config, data, session);
}

}  // namespace kernmill::tasks
