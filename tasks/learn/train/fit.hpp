#pragma once
#include "kernmill/storage/model/model.hpp"
#include "kernmill/tasks/learn/rows/rows.hpp"
#include "kernmill/tasks/learn/train/session.hpp"
#include "kernmill/tasks/learn/train/settings.hpp"
#include "kernmill/tasks/support/json.hpp"

namespace kernmill::tasks {

/// A trained model, and what there is to say about its training.
struct Fit {
  storage::Model model;
  Json metrics;
};

/// Trains on `rows`. `config` is a train stage's, for the model file. Early stopping looks at `held_out`, and
/// at nothing where that is not asked for. Collective. Throws TaskError, Stopped.
Fit fit(const Json& config, const Rows& rows, const Rows& held_out, Session& session);

/// How many of the method's own steps are one of those that `checkpoint.every` counts: batches an epoch, or 1
/// for a full-batch method.
std::uint64_t steps_per_period(const TrainSettings& settings, std::uint64_t rows);

}  // namespace kernmill::tasks
