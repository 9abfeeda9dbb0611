#pragma once
#include <algorithm>
#include <cstdint>
#include <span>

#include "kernmill/storage/even_share.hpp"

namespace kernmill::tasks {

/// Weights of neighbouring features, a row for each. The parameters of a network, or of a rank's part of one,
/// begin with one of these or with several behind each other; gradients of sparse rows, which are compact,
/// have the rows alone of features that a batch has anything of.
struct FeatureBlock {
  std::uint64_t first = 0, count = 0;  ///< features
  std::uint64_t outputs = 0;

  /// Which of these features, in ascending order, it has.
  [[nodiscard]] storage::IndexRange among(std::span<const std::uint32_t> features) const {
    const auto place = [&](std::uint64_t feature) {
      return static_cast<std::uint64_t>(std::lower_bound(features.begin(), features.end(), feature) -
                                        features.begin());
    };
    return {place(first), place(first + count)};
  }
};

}  // namespace kernmill::tasks
