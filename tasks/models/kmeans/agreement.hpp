#pragma once
#include <cstdint>
#include <span>

namespace kernmill::tasks {

/// How far clusters and classes agree; 1: they are the same but for their names.
struct Agreement {
  double adjusted_rand = 0;       ///< Hubert and Arabie 1985; 0 is what chance gives
  double mutual_information = 0;  ///< normalised by the mean of both entropies
};

/// `counts`: rows by class (in the outer order) and cluster.
Agreement agreement_of(std::span<const std::uint64_t> counts, std::size_t clusters);

}  // namespace kernmill::tasks
