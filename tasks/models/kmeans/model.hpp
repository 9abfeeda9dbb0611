#pragma once
#include <memory>

#include "kernmill/tasks/models/model_kind.hpp"

namespace kernmill::tasks {

/// k-means (Lloyd 1957). See ModelKind for what each of these promises.
Fit fit_kmeans(const Json& config, const FitData& data, Session& session);
std::unique_ptr<Predictor> open_kmeans(const storage::Model& model);
std::uint64_t kmeans_steps_per_period(const Json& config, std::uint64_t rows);
std::unique_ptr<OwnScores> kmeans_scores();

}  // namespace kernmill::tasks
