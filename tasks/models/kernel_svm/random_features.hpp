#pragma once
#include <memory>

#include "kernmill/tasks/learn/train/fit.hpp"
#include "kernmill/tasks/models/predictor.hpp"

namespace kernmill::tasks {

/// Trains a kernel_svm whose rbf kernel is approximated by random Fourier features: of each class against the
/// rest, 1/2 |w|^2 + C sum of squared hinge losses, where the bias is regularised. Rows stay where they are,
/// and their features are made a chunk at a time. The same bits on any number of ranks. Metrics:
/// `objective_per_class` and their sum `objective`, `iterations` of Newton's method, `train_accuracy`.
/// Collective. Throws SpecError, TaskError, Stopped.
Fit fit_random_features(const Json& config, const FitData& data, Session& session);

/// A model of a file, ready to predict: the class whose function is highest. Throws TaskError where the file
/// is damaged.
std::unique_ptr<Predictor> open_random_features(const storage::Model& model);

}  // namespace kernmill::tasks
