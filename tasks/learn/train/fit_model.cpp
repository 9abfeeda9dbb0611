#include <fmt/format.h>

#include "kernmill/tasks/learn/train/fit.hpp"
#include "kernmill/tasks/learn/train/settings.hpp"
#include "kernmill/tasks/models/registry.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

/// Throws TaskError where a model without layers is to do what only a network can.
void require_no_network(const Json& config, std::string_view type) {
  if (const std::string precision = config.value("precision", "float64"); precision != "float64")
    throw TaskError(
        fmt::format("{} is for a network that is trained in mini-batches, and a {} is none", precision, type),
        {}, "leave 'precision' out");
  if (!config.value("exact", true))
    throw TaskError(fmt::format("the sums of a {} are always exact", type), {}, "leave 'exact' out");
  if (!read_layout(config).is_plain())
    throw TaskError(fmt::format("'parallel' shares the layers of a network, and a {} has none", type), {},
                    "leave it out: all of its ranks share the rows");
}

}  // namespace

Fit fit_model(const Json& config, const FitData& data, Session& session) {
  if (data.rows.count() == 0)
    throw TaskError("there are no rows to train on", {}, "look at the split of the preprocess stage");
  const ModelKind& kind = model_kind_of(config);
  if (!kind.needs_target() && !data.rows.schema().series.transform.empty())
    throw TaskError(fmt::format("a {} takes rows, and these are windows of a series", kind.type), {},
                    "leave `series` out of the preprocess stage");
  if (kind.network == nullptr) require_no_network(config, kind.type);
  return kind.fit(config, data, session);
}

}  // namespace kernmill::tasks
