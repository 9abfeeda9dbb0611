#pragma once
#include <cstdint>
#include <optional>

#include "kernmill/tasks/support/json.hpp"

namespace kernmill::tasks {

enum class KMeansStart { parallel, plus_plus };

/// A train stage of k-means.
struct KMeansSettings {
  std::uint64_t k = 0;
  KMeansStart init = KMeansStart::parallel;
  std::uint64_t restarts = 1;
  std::uint64_t max_iterations = 300;
  double tolerance = 1e-4;                  ///< of the centers' summed squared moves, in mean variances
  std::optional<std::uint64_t> batch_size;  ///< none: all rows at each iteration
  std::uint64_t epochs = 10;                ///< of mini-batches
  std::uint64_t seed = 0;
  std::optional<std::uint64_t> cache;  ///< bytes of a rank's memory for its rows; none: what there is
};

/// Of a train stage's config. Throws SpecError: which is missing or unusable.
KMeansSettings read_kmeans_settings(const Json& config);

}  // namespace kernmill::tasks
