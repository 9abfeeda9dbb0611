#pragma once
#include "kernmill/tasks/learn/train/fit.hpp"

namespace kernmill::tasks {

/// Trains a C-SVC of each two classes (svm_solver.hpp). Collective. Metrics: `objective_per_pair`, the duals,
/// and their sum `objective`; `support_vectors`, `iterations` of SMO, `train_accuracy`. Throws SpecError,
/// TaskError, Stopped.
Fit fit_kernel_svm(const Json& config, const FitData& data, Session& session);

}  // namespace kernmill::tasks
