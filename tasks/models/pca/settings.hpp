#pragma once
#include <cstdint>

#include "kernmill/tasks/support/json.hpp"

namespace kernmill::tasks {

/// A train stage of a principal component analysis.
struct PcaSettings {
  double components = 0.95;  ///< how many; below 1: as many as explain that share of the variance
  bool randomized = false;
  std::uint64_t power_iterations = 4, oversampling = 10;  ///< of the randomized method
  bool whiten = false;                                    ///< scores have a variance of 1
  std::uint64_t seed = 0;
};

/// Of a train stage's config. Throws SpecError: which is missing or unusable.
PcaSettings read_pca_settings(const Json& config);

}  // namespace kernmill::tasks
