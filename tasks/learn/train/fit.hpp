#pragma once
#include "kernmill/storage/model/model.hpp"
#include "kernmill/tasks/learn/rows/rows.hpp"
#include "kernmill/tasks/learn/train/session.hpp"
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
  double weight = 0;                      ///< of all rows to learn from, which fit_model finds out
};

/// Trains a model of any kind. `config` is a train stage's, for the model file. Where the dataset has weights
/// a row counts as often as its own says. Collective. Throws SpecError, TaskError, Stopped.
Fit fit_model(const Json& config, const FitData& data, Session& session);

}  // namespace kernmill::tasks
