#pragma once
#include <cstdint>

#include "kernmill/tasks/models/network/network.hpp"

namespace kernmill::tasks {

/// Rows to random Fourier features (kernels/fourier_features.hpp). Every rank draws the same ones, and nobody
/// keeps them: those of a few rows at a time are made when they are wanted.
class FourierMap {
 public:
  using Matrix = kernels::Matrix<kernels::Device>;
  FourierMap(std::uint64_t inputs, std::uint64_t pairs, double gamma, std::uint64_t seed);
  /// 2 * pairs and a constant.
  [[nodiscard]] std::size_t outputs() const { return 2 * frequencies_.extent(1) + 1; }
  /// rows x outputs(), until the next call.
  Matrix operator()(const Batch& batch);

 private:
  Matrix frequencies_, products_, features_;
};

}  // namespace kernmill::tasks
