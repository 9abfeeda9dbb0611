#include <cmath>

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

/// What the rows weigh together. Collective. Throws TaskError where a model takes no weights, or all are 0.
double weight_to_learn_from(const Rows& rows, const ModelKind& kind, const Session& session) {
  const std::string& column = rows.schema().weight;
  if (!kind.takes_weights)
    throw TaskError(
        fmt::format("a {} takes all rows alike, and those of this dataset have weights ('{}')", kind.type,
                    column),
        {}, "leave `sample_weight` out of the preprocess stage, or prepare the data once more without it");
  const double weight = weight_of(session.comm(), rows);
  if (!(weight > 0))
    throw TaskError(fmt::format("the weight '{}' of every row to learn from is 0", column), {},
                    "is it the right column, and has each fold some that are not 0?");
  if (!std::isfinite(weight))
    throw TaskError(fmt::format("the weights '{}' add up to more than a float64 holds", column), {},
                    "divide them all by a constant");
  if (session.talks())
    fmt::print("each row counts as often as its weight '{}' says: {} rows, {:.10g} together\n", column,
               rows.count(), weight);
  return weight;
}

Fit fit_with_weights(const Json& config, const FitData& data, const ModelKind& kind, Session& session) {
  const Rows rows = data.rows.with_weights(), held_out = data.held_out.with_weights();
  const double weight = weight_to_learn_from(rows, kind, session);
  Fit fit = kind.fit(config, {rows, held_out, data.start, weight}, session);
  Json settings = Json::parse(fit.model.settings);
  settings["sample_weight"] = rows.schema().weight;
  fit.model.settings = settings.dump();
  return fit;
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
  if (!data.rows.schema().weight.empty()) return fit_with_weights(config, data, kind, session);
  return kind.fit(config, {data.rows, data.held_out, data.start, static_cast<double>(data.rows.count())},
                  session);
}

}  // namespace kernmill::tasks
