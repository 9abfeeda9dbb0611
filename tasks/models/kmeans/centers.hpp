#pragma once
#include <cstdint>
#include <vector>

#include "kernmill/storage/model/model.hpp"

namespace kernmill::tasks {

/// The centers of a k-means model, as its file holds them: `centers`, k x features. Throws TaskError where
/// the file holds another number of them than its settings and its schema ask for.
std::vector<double> kmeans_centers(const storage::Model& model);

}  // namespace kernmill::tasks
