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

/// What a model is made of.
struct FitData {
  const Rows& rows;                       ///< to learn from
  const Rows& held_out;                   ///< that early stopping looks at; nobody else does
  const storage::Model* start = nullptr;  ///< whose parameters training starts from; none: the kind's own
};

/// Trains. `config` is a train stage's, for the model file. Collective. Throws TaskError, Stopped.
Fit fit(const Json& config, const FitData& data, Session& session);

/// How many of the method's own steps are one of those that `checkpoint.every` counts: batches an epoch, or 1
/// for a full-batch method.
std::uint64_t steps_per_period(const TrainSettings& settings, std::uint64_t rows);

}  // namespace kernmill::tasks
