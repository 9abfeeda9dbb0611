#pragma once
#include <vector>

#include "kernmill/kernels/types.hpp"
#include "kernmill/tasks/models/network/feature_block.hpp"

namespace kernmill::tasks {

/// Compact gradients of sparse rows, made as long as the parameters are.
template <class T>
class WholeGradient {
 public:
  using Vector = kernels::Vector<kernels::Device, T>;
  /// `blocks`: what the parameters, so many, begin with.
  WholeGradient(std::size_t parameters, std::vector<FeatureBlock> blocks);

  /// Of a gradient that has these features.
  [[nodiscard]] std::size_t compact_length(std::span<const std::uint32_t> features) const;
  /// The gradient with zeros for all other features. Valid until the next call.
  Vector operator()(const Vector& compact, std::span<const std::uint32_t> features);

 private:
  std::vector<FeatureBlock> blocks_;
  Vector whole_;
};

}  // namespace kernmill::tasks
