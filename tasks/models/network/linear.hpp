#pragma once
#include <cstdint>
#include <vector>

#include "kernmill/tasks/models/network/network_kind.hpp"

namespace kernmill::tasks {

/// What linear models have in common.
class LinearModel : public NetworkModel {
 public:
  /// Reads `init`. Throws SpecError.
  explicit LinearModel(const Json& model);
  /// `init`, or zeros. Throws TaskError when `init` holds another count of numbers.
  [[nodiscard]] std::vector<double> start(const Network& network, std::uint64_t seed) const override;

 private:
  std::vector<double> initial_weights_;  ///< features x outputs; empty: zeros
  std::vector<double> initial_bias_;     ///< one an output, or one for all; empty: zeros
};

/// Settings of one with a penalty of its own weight.
struct Ridge {
  /// `l2` and `regularize_bias`. Throws SpecError.
  explicit Ridge(const Json& model);
  double l2 = 0;
  bool regularize_bias = false;
};

}  // namespace kernmill::tasks
