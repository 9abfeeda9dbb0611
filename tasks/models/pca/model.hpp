#pragma once
#include <memory>

#include "kernmill/tasks/models/model_kind.hpp"

namespace kernmill::tasks {

/// Principal component analysis. See ModelKind for what each of these promises.
Fit fit_pca(const Json& config, const FitData& data, Session& session);
std::unique_ptr<Predictor> open_pca(const storage::Model& model);
std::unique_ptr<OwnScores> pca_scores();

}  // namespace kernmill::tasks
